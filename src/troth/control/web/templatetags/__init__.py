"""The pages' shell in templates: words of its own that every page of every room may use."""
