"""Messages: looking for them, and one with all that is known of it; read, and each look is an entry of the ledger."""
