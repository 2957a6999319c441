-- The ledger's page: the newest entries of a client, or of the house, among a hundred thousand of others'. Each entry is of
-- one of three sorts, which are shown or not, and stands in the index of its sort alone. A query says exactly this, else the
-- index does not serve it. The house's own have indexes of their own: a list is not read in order behind an IS NULL.
CREATE INDEX ledger_leaf_acts ON ledger_leaf (tenant_id, index)
    WHERE tenant_id IS NOT NULL AND kind <> 'evidence:batch:seal' AND NOT starts_with(kind, 'access:');
CREATE INDEX ledger_leaf_looks ON ledger_leaf (tenant_id, index)
    WHERE tenant_id IS NOT NULL AND starts_with(kind, 'access:');
CREATE INDEX ledger_leaf_acts_house ON ledger_leaf (index)
    WHERE tenant_id IS NULL AND kind <> 'evidence:batch:seal' AND NOT starts_with(kind, 'access:');
CREATE INDEX ledger_leaf_looks_house ON ledger_leaf (index) WHERE tenant_id IS NULL AND starts_with(kind, 'access:');
CREATE INDEX ledger_leaf_seals ON ledger_leaf (index) WHERE kind = 'evidence:batch:seal' AND tenant_id IS NULL;
