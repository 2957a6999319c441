-- The facts that a decision was made of, kept beside it so that another policy can be tried on them (the simulator). In a
-- column of their own: a decision with its sentences takes four kilobytes and lies out of line, the facts take three
-- hundred bytes, and a million of them are read in a minute.

ALTER TABLE message ADD facts_ct bytea CHECK (get_byte(facts_ct, 0) = 2);           -- under the person's key
ALTER TABLE api_request ADD facts_ct bytea CHECK (get_byte(facts_ct, 0) = 1);       -- a refusal's, under the tenant's keyset
CREATE TRIGGER facts_insert_only BEFORE UPDATE OF facts_ct ON message FOR EACH ROW EXECUTE FUNCTION insert_only();
