"""Evidence, where the river ends: what was said and done becomes leaves of the ledger, under signed checkpoints."""
