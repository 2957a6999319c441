"""The shape of proof, pure: canonical JSON, leaves, trees, proofs, notes, tiles. Writers and verifiers share only this."""
