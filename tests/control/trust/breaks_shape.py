"""What may be done to tables and functions without a row or a body of theirs changing."""

from tests.control.trust.breaking import constraint, loud

_LEGAL = "CREATE OR REPLACE TRIGGER legal_step BEFORE UPDATE OF state ON message FOR EACH ROW WHEN ({}) EXECUTE FUNCTION refuse_step()"
_LONE = "CREATE ROLE eve LOGIN {}"


def _power(role):
    return loud("ACC-2", f"somebody is of {role}", ("CREATE ROLE eve LOGIN", f"GRANT {role} TO eve"), "DROP ROLE eve")


SHAPES = [
    loud("LOG-1", "no step is illegal any more", _LEGAL.format("false"), "-- transitions"),
    loud("LOG-2", "an entry without a session is none", "ALTER FUNCTION access_entry STRICT", "ALTER FUNCTION access_entry CALLED ON NULL INPUT"),
    loud("CPL-3", "a function is said to be constant", "ALTER FUNCTION opted_out IMMUTABLE", "ALTER FUNCTION opted_out STABLE"),
    *constraint("CPL-4", "consent", "consent_of_a_page_has_its_purpose",
                "basis <> 'confirmation' OR kind <> 1 OR category_id IS NOT NULL",
                "basis <> 'CONFIRMATION' OR kind <> 1 OR category_id IS NOT NULL"),
    *constraint("CPL-3", "tenant", "tenant_postal_address_check", "postal_address <> ''", "postal_address <> ' '"),
    loud("EML-3", "a domain is open from the first", "ALTER TABLE domain_state ALTER ready_until SET DEFAULT 'infinity'",
         "ALTER TABLE domain_state ALTER ready_until SET DEFAULT '1970-01-01 00:00:00+00'"),
    loud("CHG-2", "a yes needs no digest", "ALTER TABLE approval ALTER digest DROP NOT NULL", "ALTER TABLE approval ALTER digest SET NOT NULL"),
    loud("LIM-2", "a counter needs no cap", "ALTER TABLE rate_counter ALTER cap DROP NOT NULL", "ALTER TABLE rate_counter ALTER cap SET NOT NULL"),
    loud("SUP-1", "a table elsewhere feeds the list",
         ("CREATE SCHEMA eve", "CREATE TABLE eve.more () INHERITS (troth.suppression)"), "DROP SCHEMA eve CASCADE"),
    loud("SUP-1", "an index swallows entries", "CREATE UNIQUE INDEX swallow ON suppression (reason) WHERE created_at > '2100-01-01'",
         "DROP INDEX swallow"),
    loud("LOG-1", "a partition's index swallows events",
         "DO $$ BEGIN EXECUTE format('CREATE UNIQUE INDEX swallow ON %s (kind) WHERE at > %L',"
         " (SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'troth.event'::regclass LIMIT 1), '2100-01-01'); END $$",
         "DROP INDEX swallow"),
    loud("ACC-2", "somebody goes round row security", _LONE.format("BYPASSRLS"), "DROP ROLE eve"),
    loud("ACC-2", "somebody makes roles", _LONE.format("CREATEROLE"), "DROP ROLE eve"),
    _power("pg_write_all_data"), _power("pg_read_all_data"), _power("pg_execute_server_program"),
    loud("SND-1", "somebody else is the owner", ("CREATE ROLE eve LOGIN", "GRANT troth_owner TO eve"), "DROP ROLE eve"),
    loud("CHG-6", "somebody else acts as the pages", ("CREATE ROLE eve LOGIN", "GRANT troth_control TO eve"), "DROP ROLE eve"),
]  # fmt: skip
