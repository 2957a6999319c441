"""The gate: gathers facts in one round trip a batch, asks rules.chain, reserves rate, writes the spool."""
