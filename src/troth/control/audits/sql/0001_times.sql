-- What leaves the house as evidence of a period begins and ends with a checkpoint, which is looked for by its time.
CREATE INDEX ledger_checkpoint_at ON ledger_checkpoint (at, size);
