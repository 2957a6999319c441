"""The room's part of the one migration history: the SQL of sql/, in order."""
