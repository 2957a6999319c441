"""Suppressions: whom a client's mail does not reach any more, and why; read."""
