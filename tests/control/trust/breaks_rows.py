"""Rows that the ledger was told otherwise of, or not at all; the counts beside them are made to fit."""

from tests.control.trust.breaking import quiet

_NOBODY = "gen_random_uuid()"
_OVERRIDE = ("INSERT INTO suppression_override (tenant_id, blind_index, snapshot_id, expires_at, covers)"
             " SELECT t.id, s.blind_index, (SELECT v.id FROM snapshot v WHERE v.kind = 'category' AND v.tenant_id = t.id LIMIT 1),"
             " now() + interval '1 year', ARRAY[s.reason || ':' || s.source] FROM (SELECT * FROM suppression LIMIT 1) AS s, tenant t WHERE t.kind = 1")  # fmt: skip
_OPT_IN = "INSERT INTO opt_in SELECT tenant_id, blind_index, category_id, 'preferences', now() FROM message LIMIT 1"
_ONE = "(SELECT min(id::text)::uuid FROM message WHERE state = 5)"
_ITS = (f"(SELECT tenant_id, date_trunc('hour', at, 'UTC') AS hour, kind, count(*) AS n FROM event WHERE message_id = {_ONE} GROUP BY 1, 2, 3) AS x"
        " WHERE (y.tenant_id, y.hour, y.kind) = (x.tenant_id, x.hour, x.kind)")  # fmt: skip
_GONE = (
    f"DELETE FROM message_body WHERE message_id = {_ONE}",
    f"DELETE FROM event_tally y USING {_ITS} AND y.n = x.n",
    f"UPDATE event_tally y SET n = y.n - x.n FROM {_ITS} AND y.n > x.n",
    f"DELETE FROM event WHERE message_id = {_ONE}",
    f"DELETE FROM message WHERE id = {_ONE}",
)
_OF_IT = ("message_body", "event_tally", "event", "message")


def _each(claims, name, rows, *sql):
    for claim in claims:
        yield quiet(claim, name, rows, *sql)


ROWS = [
    *_each(("LOG-1", "LOG-6"), "a sent message was never there", _OF_IT, *_GONE),
    *_each(("SUP-1", "SUP-2", "CHG-4", "CHG-5", "BNC-1"), "an override that nobody approved", "suppression_override", _OVERRIDE),
    *_each(("EML-7", "CPL-3", "CPL-4", "SUP-1", "SUP-3"), "an opt-out was taken back by nobody", "opt_in", _OPT_IN),
    quiet("CHG-4", "a held message was let go by nobody", "release_order",
          f"INSERT INTO release_order SELECT id, tenant_id, {_NOBODY}, now() FROM message"),
    quiet("CHG-4", "a stop was let go by another change", "pause",
          "INSERT INTO pause (id, tenant_id, effect, reason, started_by, started_at, released_at, release_change)"
          " SELECT gen_random_uuid(), tenant_id, 'stop-accepting', 'x', 'somebody', now(), now(), id FROM change WHERE kind = 'category'"),
    *_each(("CHG-1", "CHG-6", "LOG-3"), "what is in force is said to be retired", "governed", "UPDATE governed SET retired = true WHERE kind = 'template'"),
    *_each(("CHG-2", "LOG-3"), "an approval is of another time", "approval", "UPDATE approval SET at = at - interval '1 day'"),
    *_each(("CHG-3", "LOG-3"), "an approval is of another account", "approval",
           "UPDATE approval SET account_id = (SELECT id FROM account WHERE human_id <> approval.human_id LIMIT 1)"),
    quiet("LOG-3", "a proposal is older", "change", "UPDATE change SET proposed_at = proposed_at - interval '1 day'"),
    quiet("LOG-3", "a decision is older", ("change", "snapshot"), "UPDATE snapshot SET approved_at = approved_at - interval '1 day'",
          "UPDATE change SET decided_at = decided_at - interval '1 day'"),
    quiet("SND-2", "a key is for tests only", "api_key", "UPDATE api_key SET mode = 3 - mode"),
    quiet("ACC-2", "a key is open to a network", "api_key", "UPDATE api_key SET networks = ARRAY['0.0.0.0/0'::cidr]"),
    quiet("LOG-2", "what somebody did is not in the log", "access_log", "DELETE FROM access_log WHERE kind = 'act'"),
    quiet("LOG-2", "sessions began at another time", "session", "UPDATE session SET opened_at = opened_at - interval '3 hours' WHERE kind = 'page'"),
    quiet("LIM-1", "clients are on another plan", "tenant", "UPDATE tenant SET plan = 'enterprise' || plan"),
    *_each(("RCP-1", "RCP-4"), "a link was used after its end", "confirmation", "UPDATE confirmation SET expires_at = used_at - interval '1 day'"),
    *_each(("RCP-1", "RCP-4"), "an agreement is gone", ("confirmation", "person"), "UPDATE confirmation SET pathway = 'vendor-agreement'"),
    quiet("LIM-2", "counters of templates are lower", "rate_counter", "UPDATE rate_counter SET used = 0 WHERE scope = 4"),
    quiet("SND-2", "counters of keys are lower", "rate_counter", "UPDATE rate_counter SET used = 0 WHERE scope = 3"),
]  # fmt: skip
