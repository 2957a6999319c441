-- The log of access of the house's own people, read in its index's order: behind an IS NULL it was sorted.
CREATE INDEX access_log_house ON access_log (id) WHERE tenant_id IS NULL;
