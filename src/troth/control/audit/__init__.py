"""The lowest room of control: the installation, its clock, the insert-only rule and the way into the ledger."""
