"""API keys: made, shown once, approved by a second person, rotated with an overlap, ended at once."""
