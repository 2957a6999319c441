-- A client's list, newest first; both tables are written seldom and never changed.
CREATE INDEX suppression_newest ON suppression (tenant_id, created_at, blind_index, reason, source);
CREATE INDEX opt_out_newest ON opt_out (tenant_id, created_at, blind_index, category_id);
