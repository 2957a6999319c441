"""Humans, accounts, credentials and the sessions that only the database opens."""
