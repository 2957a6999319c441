"""Thin clients for what is not ours: PostgreSQL's binaries, DNS, a KMS."""
