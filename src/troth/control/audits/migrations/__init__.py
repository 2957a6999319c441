"""This room's part of the one migration history."""
