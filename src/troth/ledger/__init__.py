"""The shape of proof, pure: canonical JSON, leaves, trees, proofs, notes, tiles: all that writer and verifier share."""
