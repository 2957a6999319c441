"""Troth: transactional email that keeps its word, provably. The house is drawn in docs/ARCHITECTURE.md."""
