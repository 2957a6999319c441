"""Around the river: how much may be sent, what is left of it, and what happens when a volume is unusual."""
