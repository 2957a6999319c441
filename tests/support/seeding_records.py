"""A house's records and ledger, put in by SQL with triggers off: accesses with their sessions, API requests, hourly counts,
and the steps of what `seeding_house` made, among what people looked at; every node is the hash of its halves.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
from tests.support.firm import now
from tests.support.seeding import WEEKS

from troth.flow.evidence.sequencer import Keeper, Signer
from troth.flow.evidence.witness import Witness
from troth.keys import places
from troth.keys.keyring import OPERATOR

if TYPE_CHECKING:
    from tests.support.seeding_house import House

_PARTITIONS = """
DO $$
DECLARE week timestamptz := date_trunc('week', troth.now_v1() - interval '{weeks} weeks', 'UTC'); part text;
BEGIN
    WHILE week < troth.now_v1() LOOP
        part := 'access_log_' || to_char(week AT TIME ZONE 'UTC', 'IYYY"w"IW');
        IF to_regclass('troth.' || part) IS NULL THEN
            EXECUTE format('CREATE TABLE troth.%I (LIKE troth.access_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', part);
            EXECUTE format('ALTER TABLE troth.access_log ATTACH PARTITION troth.%I FOR VALUES FROM (%L) TO (%L)', part,
                           troth.uuid7_floor(week), troth.uuid7_floor(week + interval '7 days'));
        END IF;
        week := week + interval '7 days';
    END LOOP;
END $$
"""
_ID = "(substr(uuid7_floor(at)::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid"
_CLOCK = "LATERAL (SELECT %(now)s - interval '1 minute' - n * (make_interval(weeks => %(weeks)s) / %(rows)s::float8) AS at) AS clock"
# half are the firm's, a tenth the operator's; the quiet client's are few
_ACCESSES = f"""
INSERT INTO access_log (id, tenant_id, account_id, session_id, at, kind, what, place, detail_ct)
SELECT {_ID}, w.tenant, w.account[1 + n %% cardinality(w.account)], s.session, at, k.kind,
       CASE k.kind WHEN 'sign-in' THEN 'password webauthn' ELSE 'template-draft 302' END, sha256((n %% 900)::text::bytea), %(detail)s
FROM generate_series(1, %(rows)s) AS n
CROSS JOIN {_CLOCK}
CROSS JOIN LATERAL (SELECT CASE WHEN n %% 10 = 0 THEN NULL WHEN n %% 2 = 1 THEN %(firm)s::uuid
    ELSE (%(tenants)s::uuid[])[1 + n %% (cardinality(%(tenants)s::uuid[]) - 1)] END AS tenant) AS t
CROSS JOIN LATERAL (SELECT md5(n::text)::uuid AS session) AS s
CROSS JOIN LATERAL (SELECT CASE WHEN n %% 11 = 3 THEN 'sign-in' WHEN n %% 997 = 5 THEN 'sign-in-failed' ELSE 'act' END AS kind) AS k
JOIN who w ON w.tenant IS NOT DISTINCT FROM t.tenant ORDER BY n DESC
"""
_SESSIONS = """
INSERT INTO session (id, account_id, secret_hash, kind, methods, opened_at, seen_at, expires_at, ends_at, ended_at, ended_why)
SELECT session_id, account_id, sha256(session_id::text::bytea), 'page', '{password,webauthn}', at, at, at + interval '30 minutes',
       at + interval '12 hours', at + interval '20 minutes', 'signed out' FROM access_log WHERE kind = 'sign-in' AND detail_ct IS NOT NULL
ON CONFLICT DO NOTHING
"""
_REQUESTS = f"""
INSERT INTO api_request (id, tenant_id, api_key_id, at, method, route, status, problem, email_id)
SELECT {_ID}, t.tenant, CASE WHEN t.tenant = %(firm)s THEN (%(keys)s::uuid[])[1 + n %% cardinality(%(keys)s::uuid[])] ELSE t.tenant END,
       at, CASE WHEN n %% 6 = 0 THEN 'GET' ELSE 'POST' END, '/emails', CASE WHEN n %% 500 = 3 THEN 422 WHEN n %% 90001 = 7 THEN 503 ELSE 200 END,
       CASE WHEN n %% 500 = 3 THEN 'validation_error' END, CASE WHEN n %% 500 <> 3 THEN gen_random_uuid() END
FROM generate_series(1, %(rows)s) AS n CROSS JOIN {_CLOCK}
CROSS JOIN LATERAL (SELECT CASE WHEN n %% 6 > 0 THEN %(firm)s::uuid
    ELSE (%(tenants)s::uuid[])[1 + n %% (cardinality(%(tenants)s::uuid[]) - 1)] END AS tenant) AS t ORDER BY n DESC
"""


def records(connection: psycopg.Connection[Any], house: "House") -> None:
    operator, size = house.firm.operator, house.size
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    detail = operator.keyring.tenant(OPERATOR, wrapped).seal(
        b'{"address":"192.0.2.77","agent":"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}',
        places.access("detail"),
    )
    with operator.database.owner() as owner:
        owner.execute(_PARTITIONS.replace("{weeks}", str(WEEKS + 1)))
    found = connection.execute("SELECT id FROM api_key WHERE tenant_id = %s", (house.firm.tenant,)).fetchall()
    values = {"tenants": house.clients, "firm": house.firm.tenant, "detail": detail, "weeks": WEEKS, "now": now(),
              "keys": [one for (one,) in found]}  # fmt: skip
    connection.execute(_ACCESSES, {**values, "rows": size.accesses})
    connection.execute(_SESSIONS)
    connection.execute(_REQUESTS, {**values, "rows": size.requests})


_TALLY = """
INSERT INTO event_tally (tenant_id, hour, kind, n)
SELECT t, h, k, 1 + (extract(epoch FROM h)::bigint / 3600 * 7919 + k * 31) % 500
FROM unnest(%(tenants)s::uuid[]) AS t,
     generate_series(date_trunc('hour', now_v1()) - make_interval(weeks => 26), now_v1(), interval '1 hour') AS h,
     unnest('{1,2,4,8,11,14}'::smallint[]) AS k
""".replace(" % ", " %% ")


def tally(connection: psycopg.Connection[Any], house: "House") -> None:
    """Half a year of hours."""
    connection.execute(_TALLY, {"tenants": house.clients})


# ---- the ledger: the steps of changes and reviews, and what people looked at

_LEAVES = """
CREATE TEMP TABLE leaf AS
SELECT kind, tenant, date_trunc('milliseconds', at) AS at, leaf FROM (
    SELECT 'governance:change:' || s.step AS kind, c.tenant_id AS tenant, s.at, leaf_json(
        ARRAY['before', 'by', 'change', 'code', 'digest', 'of', 'proposer', 'reason', 'subject'],
        ARRAY[coalesce(encode(b.digest, 'hex'), ''), s.by::text, c.id::text, c.code, encode(c.digest, 'hex'), c.kind, c.proposer_human::text,
              c.reason, c.subject::text]) AS leaf
    FROM change c LEFT JOIN snapshot v ON v.change_id = c.id
    LEFT JOIN snapshot b ON b.kind = c.kind AND b.subject = c.subject AND b.version = v.version - 1,
    LATERAL (VALUES ('propose', c.proposed_at, c.proposer_human), (CASE c.state WHEN 2 THEN 'approve' WHEN 3 THEN 'reject' ELSE 'withdraw' END,
             c.decided_at, c.decider_human)) AS s(step, at, by)
    WHERE s.at IS NOT NULL AND c.reason IN ('As the firm asked in its letter of spring', 'To be looked at again')
    UNION ALL
    SELECT 'people:review:confirm', d.tenant_id, d.at, leaf_json(ARRAY['by', 'item', 'note', 'of', 'review', 'role'],
           ARRAY[d.human_id::text, d.subject::text, '', d.kind, d.review_id::text, 'viewer']) FROM review_decision d
    UNION ALL
    SELECT CASE WHEN n %% 3 = 0 THEN 'evidence:batch:seal' ELSE 'access:message:view' END, CASE WHEN n %% 3 > 0 THEN w.tenant END,
           now_v1() - n * (interval '700 days' / %(looks)s::float8), CASE WHEN n %% 3 = 0 THEN '{"count":40}'
           ELSE leaf_json(ARRAY['by', 'message'], ARRAY[w.account[1]::text, md5(n::text)]) END
    FROM generate_series(1, %(looks)s) AS n JOIN who w
         ON w.tenant = CASE WHEN n %% 2 = 1 THEN %(firm)s::uuid ELSE (%(tenants)s::uuid[])[1 + n %% (cardinality(%(tenants)s::uuid[]) - 1)] END
) AS x;
INSERT INTO ledger_leaf (log_id, index, tenant_id, kind, at, leaf, leaf_hash)
SELECT 1, row_number() OVER (ORDER BY at, leaf) - 1, tenant, kind, at, e, sha256('\\x00'::bytea || convert_to(e, 'UTF8'))
FROM leaf, LATERAL (SELECT leaf_entry(leaf, kind, tenant, at) AS e) AS y
"""
_LEVEL = """
INSERT INTO ledger_node (log_id, level, index, hash)
SELECT 1, %(level)s, index / 2, sha256('\\x01'::bytea || hash || next)
FROM (SELECT index, hash, lead(hash) OVER (ORDER BY index) AS next FROM {below} AS b) AS pair
WHERE index %% 2 = 0 AND next IS NOT NULL
"""


def ledger(connection: psycopg.Connection[Any], house: "House") -> None:
    values = {"looks": house.size.looks, "firm": house.firm.tenant, "tenants": house.clients}
    for statement in _LEAVES.split(";\n"):
        connection.execute(statement, values)
    size = connection.execute("SELECT count(*) FROM ledger_leaf").fetchone()[0]
    for level in range(1, size.bit_length()):
        below = ("(SELECT index, leaf_hash AS hash FROM ledger_leaf)" if level == 1
                 else f"(SELECT index, hash FROM ledger_node WHERE level = {level - 1})")  # fmt: skip
        connection.execute(_LEVEL.replace("{below}", below), {"level": level})


async def signed(house: "House", folder: Path) -> None:
    """What waited in the line comes behind, and a checkpoint covers it all."""
    connection = await house.firm.operator.database.connect("sequencer", "troth_ledger")
    try:
        keeper = Keeper(Signer.of(UUID(int=7), house.firm.operator.secrets.ledger_seed), Witness(folder / "witness"))
        await keeper.begin(connection)
        while await keeper.turn(connection):
            pass
    finally:
        await connection.close()
