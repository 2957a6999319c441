-- A client's recipients by state and by pathway, newest first; those whose verification ended, the last ended first.
CREATE INDEX person_state ON person (tenant_id, status, id);
CREATE INDEX person_pathway ON person (tenant_id, pathway, id) WHERE pathway IS NOT NULL;
CREATE INDEX person_ended ON person (tenant_id, expires_at, id) WHERE status = 2;
