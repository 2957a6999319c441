"""Privacy: what recipients agreed to and took back, what is served otherwise, what they report."""
