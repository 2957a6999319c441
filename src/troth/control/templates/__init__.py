"""Templates and their versions, read: what was approved by whom, and how it looks with sample values."""
