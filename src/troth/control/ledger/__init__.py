"""Evidence, read: the ledger's proofs, its verification, live and from an export, and the export itself."""
