-- The house's own log of changes: a list is not read in order behind an IS NULL, so it has an index of its own.
CREATE INDEX ledger_leaf_changes_house ON ledger_leaf (at, index)
    WHERE tenant_id IS NULL AND kind ~ '^(governance|sending:pause|people:(account|leaver|review|key|factor|sign-on-domain|arrival)):';
