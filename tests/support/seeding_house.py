"""A house of many clients with years behind it: accounts, versions, records and a ledger, put in by SQL with triggers off.

What `seeding` is to one client's mail. Names open, digests and leaf hashes hold, and every node is the hash of its halves;
one turn of the real sequencer signs it.
"""

import asyncio
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from tests.support import seeding_records
from tests.support.firm import Firm, now

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR

GIVEN = ("Anneliese", "Bartholomew", "Chidimma", "Dominik", "Esperanza", "Fionnuala", "Gwendolyn", "Hyacinth")
FAMILY = ("Achterberg", "Blackwood", "Castellanos", "Drummond", "Eriksen", "Fairweather", "Grünwald", "Haverford")
ROLES = ("admin", "author", "approver", "developer", "viewer")
_HTML = "".join(
    f"<p style='font-family:Georgia,serif;font-size:16px'>Paragraph {n}: dear {{{{ name }}}}, what is due is due, and "
    f"here it stands in words that are {n * 7919 % 1009} long.</p>"
    for n in range(60)
)
_LAYOUT = f"<html><head><title>Firm</title></head><body><!-- {'a layout ' * 300} -->{{{{ body }}}}</body></html>"


@dataclass(frozen=True)
class Size:
    """How much there is. `templates` x `versions`: of the firm that is looked at; other clients have fewer."""

    clients: int = 50
    policies: int = 150
    accounts: int = 2000
    templates: int = 300
    versions: int = 20
    others: int = 20
    requests: int = 1_200_000
    accesses: int = 200_000
    looks: int = 150_000
    keys: int = 100
    reviews: int = 20

    def tenth(self) -> "Size":
        return Size(templates=30, others=2, requests=120_000, accesses=20_000, looks=15_000, reviews=2)


@dataclass
class House:
    """`clients`: every client firm with people, the one that is looked at first; `people`: accounts by client."""

    firm: Firm
    size: Size
    clients: list[UUID] = field(default_factory=list)
    people: dict[UUID | None, list[UUID]] = field(default_factory=dict)

    @property
    def quiet(self) -> UUID:
        """A client of whom there is little among much."""
        return self.clients[-1]


def house(firm: Firm, folder: Path, size: Size | None = None) -> House:
    made = House(firm, size or Size())
    with firm.operator.database.filler() as connection:
        for fill in (
            _tenants,
            _people,
            _changes,
            _open_ones,
            _keys,
            _reviews,
            seeding_records.records,
            seeding_records.tally,
            seeding_records.ledger,
        ):
            with connection.transaction():
                fill(connection, made)
    asyncio.run(seeding_records.signed(made, folder))
    return made


# ---- clients and people


def _tenants(connection: psycopg.Connection[Any], house: House) -> None:
    """Each with a keyset of its own; those beyond `clients` have a policy and nobody."""
    firm = house.firm
    house.clients.append(firm.tenant)
    columns = "id, programme_id, code, name, kind, timezone, plan, postal_address, keyset, created_at"
    with connection.cursor() as cursor, cursor.copy(f"COPY tenant ({columns}) FROM STDIN") as copy:
        for n in range(1, house.size.policies):
            one = uuid7(now())
            keyset = firm.operator.keyring.new_tenant_keyset(one) if n < house.size.clients else os.urandom(120)
            copy.write_row((one, firm.programme, f"client-{n}", f"{FAMILY[n % 8]} and {GIVEN[n % 7]} {n}", 1,
                            "Europe/London", "standard", "1 Long Street", keyset, now()))  # fmt: skip
            house.clients.append(one)
    del house.clients[house.size.clients :]


def _people(connection: psycopg.Connection[Any], house: House) -> None:
    """A fifth are the firm's, a few the operator's; the rest is spread."""
    operator = house.firm.operator
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys = operator.keyring.tenant(OPERATOR, wrapped)
    rows = []
    for n in range(house.size.accounts):
        tenant = None if n % 50 == 1 else house.firm.tenant if n % 5 == 0 else house.clients[n % len(house.clients)]
        one, human, name = uuid7(now()), uuid7(now()), f"{GIVEN[n % 8]} {FAMILY[n // 8 % 8]} {n}"
        role = ("support", "auditor", "ops-admin")[n % 3] if tenant is None else ROLES[n % 5]
        rows.append((one, human, tenant, role, keys.seal(name.encode(), places.account(one, "name")),
                     keys.seal(f"p{n}@client.example".encode(), places.account(one, "address")), os.urandom(32)))  # fmt: skip
        house.people.setdefault(tenant, []).append(one)
    with connection.cursor() as cursor:
        with cursor.copy("COPY human (id, created_at) FROM STDIN") as copy:
            for row in rows:
                copy.write_row((row[1], now()))
        columns = "id, human_id, tenant_id, role, name_ct, address_ct, address_index, created_at, last_used_at"
        with cursor.copy(f"COPY account ({columns}) FROM STDIN") as copy:
            for n, row in enumerate(rows):
                copy.write_row((*row, now(), now() if n % 7 else None))
    connection.execute("INSERT INTO login (account_id, email, password, set_at) SELECT id, encode(address_index, 'hex') ||"
                       " '@people.invalid', 'argon2$argon2id$x', now_v1() FROM account ON CONFLICT DO NOTHING")  # fmt: skip


# ---- versions: each from a change that two people agreed on

_MADE = """
CREATE TEMP TABLE made (kind text, tenant uuid, subject uuid, code text, version integer, artefact text, retired boolean);
CREATE TEMP TABLE who AS
SELECT t.id AS tenant, array_agg(a.id ORDER BY a.id) AS account, array_agg(a.human_id ORDER BY a.id) AS human
FROM (SELECT id FROM tenant UNION ALL SELECT NULL) AS t
JOIN account a ON a.tenant_id IS NOT DISTINCT FROM t.id OR a.tenant_id IS NULL GROUP BY t.id;
"""
_TEMPLATES = """
INSERT INTO made
SELECT 'template', c.tenant, md5(c.tenant::text || 'template' || n)::uuid, 'template-' || n, v,
       jsonb_build_object('category', CASE WHEN n %% 3 = 0 THEN 'rent' ELSE 'notice-' || n %% 8 END,
           'subject', 'Rent, {{ name }} ' || v, 'html', h.html || v, 'text', 'Dear {{ name }} ' || v,
           'schema', '{"name": {"type": "string", "max_length": 200}}'::jsonb, 'targeting', '{}'::jsonb,
           'source', jsonb_build_object('kind', 'html', 'body', h.html, 'layout', jsonb_build_object('body', %(layout)s::text)))::text,
       n %% 40 = 39
FROM unnest(%(tenants)s::uuid[], %(templates)s::int[], %(versions)s::int[]) AS c(tenant, templates, versions),
     generate_series(1, c.templates) AS n, generate_series(1, c.versions) AS v,
     LATERAL (SELECT CASE WHEN c.tenant = %(tenant)s THEN %(html)s::text ELSE left(%(html)s::text, 400) || '</p>' END AS html) AS h
"""
_SMALL = """
INSERT INTO made
SELECT 'category', t, md5(t::text || 'category' || n)::uuid, 'notice-' || n, v, jsonb_build_object('name', 'Notice ' || n,
       'purpose', 'p', 'sender', '{"name": "Firm", "address": "rent@mail.firm.example"}'::jsonb,
       'legal_class', 'transactional', 'raw', true, 'policy', '{}'::jsonb)::text, false
FROM unnest(%(others)s::uuid[]) AS t, generate_series(0, 7) AS n, generate_series(1, 3) AS v;
"""
_POLICIES = """
INSERT INTO made
SELECT 'policy', t.id, md5(t.id::text || 'policy')::uuid, 'tenant', v,
       jsonb_set(s.artefact::jsonb, '{limits,tenant_hour}', to_jsonb(900 - v))::text, false
FROM tenant t, generate_series(1, 5) AS v,
     (SELECT s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
      WHERE g.kind = 'policy' AND g.tenant_id IS NULL LIMIT 1) AS s WHERE t.kind = 1 AND NOT EXISTS
     (SELECT FROM governed g WHERE g.kind = 'policy' AND g.tenant_id = t.id)
"""
_TENANTS = """
INSERT INTO made
SELECT 'tenant', NULL, t.id, t.code, 1, jsonb_build_object('programme', t.programme_id, 'name', t.name, 'kind', 1,
       'timezone', t.timezone, 'plan', t.plan, 'postal_address', t.postal_address, 'keyset', encode(t.keyset, 'base64'))::text, false
FROM tenant t WHERE NOT EXISTS (SELECT FROM governed g WHERE g.subject = t.id)
"""
_GRANTS = """
INSERT INTO made
SELECT 'grant', a.tenant_id, a.id, 'account-' || replace(a.id::text, '-', ''), v, jsonb_build_object('human', a.human_id,
       'role', a.role, 'name_ct', encode(a.name_ct, 'base64'), 'address_ct', encode(a.address_ct, 'base64'),
       'address_index', encode(a.address_index, 'hex'))::text, false
FROM account a, generate_series(1, 1) AS v WHERE NOT EXISTS (SELECT FROM governed g WHERE g.subject = a.id)
"""
_KEYS = """
INSERT INTO made
SELECT 'api-key', %(tenant)s, md5(%(tenant)s::text || 'key' || n)::uuid, 'key-' || n, v, jsonb_build_object('name', 'Program ' || n,
       'prefix', 'troth_a_' || n, 'hash', encode(sha256(('k' || n || 'v' || v)::bytea), 'hex'), 'categories', '["rent"]'::jsonb,
       'expires_at', now_v1() + make_interval(days => n - 15), 'policy', '{}'::jsonb)::text, false
FROM generate_series(1, %(keys)s) AS n, generate_series(1, 3) AS v
"""
# over two years, in the order of versions
_APPROVED = """
CREATE TEMP TABLE step AS
SELECT m.*, row_number() OVER () AS n, gen_random_uuid() AS change, gen_random_uuid() AS snapshot, w.account, w.human,
       clock.at - interval '1 hour' - (1 - row_number() OVER (ORDER BY m.version, m.subject)::float8 / (count(*) OVER () + 1))
           * interval '700 days' AS at, 1 + (row_number() OVER ())::integer %% (cardinality(w.account) - 1) AS p
FROM made m JOIN who w ON w.tenant IS NOT DISTINCT FROM m.tenant, (SELECT now_v1() AS at) AS clock;
INSERT INTO change (id, kind, tenant_id, subject, code, artefact, digest, reason, proposer_account, proposer_human, proposed_at,
                    expires_at, state, decided_at, decider_human)
SELECT change, kind, tenant, subject, code, artefact, sha256(convert_to(artefact, 'UTF8')), 'As the firm asked in its letter of spring',
       account[p], human[p], at, at + interval '14 days', 2, at + interval '40 minutes', human[p + 1] FROM step;
INSERT INTO approval (change_id, human_id, tenant_id, account_id, digest, at)
SELECT change, human[p + 1], tenant, account[p + 1], sha256(convert_to(artefact, 'UTF8')), at + interval '40 minutes' FROM step;
INSERT INTO snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id, proposer_human, approver_human, approved_at)
SELECT snapshot, kind, tenant, subject, code, version, artefact, sha256(convert_to(artefact, 'UTF8')), change, human[p],
       human[p + 1], at + interval '40 minutes' FROM step;
INSERT INTO governed (subject, kind, tenant_id, code, snapshot_id, retired)
SELECT DISTINCT ON (subject) subject, kind, tenant, code, snapshot, retired FROM step ORDER BY subject, version DESC;
"""


def _changes(connection: psycopg.Connection[Any], house: House) -> None:
    size, others = house.size, house.clients[1:]
    values = {
        "html": _HTML, "layout": _LAYOUT, "tenants": house.clients, "others": others, "tenant": house.firm.tenant,
        "templates": [size.templates, *[size.others] * len(others)],
        "versions": [size.versions, *[10] * len(others)], "keys": size.keys,
    }  # fmt: skip
    connection.execute(_MADE)
    for statement in (_TEMPLATES, _SMALL, _POLICIES, _TENANTS, _GRANTS, _KEYS):
        connection.execute(statement, values)
    for statement in _APPROVED.replace("%%", "%").split(";\n"):
        if statement.strip():
            connection.execute(statement)


# what waits, what was refused, drafts and what people said of it all
_OPEN = """
INSERT INTO change (id, kind, tenant_id, subject, code, artefact, digest, reason, proposer_account, proposer_human, proposed_at,
                    expires_at, state, decided_at, decider_human)
SELECT gen_random_uuid(), s.kind, s.tenant, s.subject, s.code, s.artefact, sha256(convert_to(s.artefact, 'UTF8')),
       'To be looked at again', s.account[p], s.human[p], now_v1() - nth * interval '40 minutes', now_v1() - nth * interval '40 minutes' + interval '14 days',
       CASE WHEN nth <= 300 THEN 1 ELSE 3 + nth % 2 END, CASE WHEN nth > 300 THEN now_v1() - nth * interval '20 minutes' END,
       CASE WHEN nth > 300 THEN s.human[p + 1] END
FROM (SELECT *, row_number() OVER (ORDER BY md5(change::text)) AS nth FROM step
      WHERE kind IN ('template', 'category', 'grant') AND version = 1) AS s WHERE s.nth <= 800
"""
_DRAFTS = """
WITH made AS (
    INSERT INTO draft (id, tenant_id, kind, subject, code, content, revision, created_by, created_at, updated_by, updated_at)
    SELECT gen_random_uuid(), tenant, kind, subject, code, jsonb_build_object('typed', jsonb_build_object('code', code,
           'category', 'rent', 'subject', 'Rent', 'preheader', '', 'kind', 'html', 'source', artefact::jsonb ->> 'html', 'text', '',
           'schema', '{}', 'samples', '[]', 'layout', '', 'pathways', '[]'::jsonb, 'reason', ''))::text, 3, account[p], at, account[p], at
    FROM step WHERE kind = 'template' AND version = 2 AND n % 3 = 0
    RETURNING id, tenant_id, created_by)
INSERT INTO draft_author (draft_id, tenant_id, human_id) SELECT m.id, m.tenant_id, a.human_id FROM made m JOIN account a ON a.id = m.created_by
"""
_SAID = """
INSERT INTO change_comment (id, change_id, tenant_id, account_id, human_id, words, at)
SELECT gen_random_uuid(), c.id, c.tenant_id, c.proposer_account, c.proposer_human, 'Please look at the second paragraph ' || k, c.proposed_at + k * interval '1 minute'
FROM change c, generate_series(1, CASE WHEN c.state = 1 THEN 30 ELSE 1 END) AS k
"""


def _open_ones(connection: psycopg.Connection[Any], _: House) -> None:
    for statement in (_OPEN, _DRAFTS, _SAID):
        connection.execute(statement)


_HELD = """
INSERT INTO api_key (id, tenant_id, name, prefix, hash, snapshot_id, expires_at, created_at)
SELECT g.subject, g.tenant_id, a ->> 'name', a ->> 'prefix', decode(a ->> 'hash', 'hex'), s.id, (a ->> 'expires_at')::timestamptz, s.approved_at
FROM governed g JOIN snapshot s ON s.id = g.snapshot_id, LATERAL (SELECT s.artefact::jsonb AS a) AS x
WHERE g.kind = 'api-key' AND NOT EXISTS (SELECT FROM api_key k WHERE k.id = g.subject);
INSERT INTO api_key_secret (hash, key_id, tenant_id, prefix, snapshot_id, created_at, ends_at, last_used_at)
SELECT decode(s.artefact::jsonb ->> 'hash', 'hex'), s.subject, s.tenant_id, 'troth_a_x', s.id, s.approved_at, s.approved_at + interval '90 days', now_v1()
FROM snapshot s WHERE s.kind = 'api-key' AND NOT EXISTS (SELECT FROM api_key_secret k WHERE k.hash = decode(s.artefact::jsonb ->> 'hash', 'hex'))
"""


def _keys(connection: psycopg.Connection[Any], _: House) -> None:
    for statement in _HELD.split(";\n"):
        connection.execute(statement)


_REVIEWS = """
INSERT INTO review (id, tenant_id, opened_at, due_at, closed_at)
SELECT md5(coalesce(t::text, 'house') || 'review' || n)::uuid, t, now_v1() - n * interval '92 days' + interval '88 days',
       now_v1() - n * interval '92 days' + interval '102 days', CASE WHEN n > 1 THEN now_v1() - n * interval '92 days' + interval '100 days' END
FROM unnest(%(tenants)s::uuid[]) AS t, generate_series(1, %(reviews)s) AS n;
INSERT INTO review_item (review_id, kind, subject, tenant_id, human_id, role, since, last_used_at)
SELECT r.id, 'person', a.id, r.tenant_id, a.human_id, a.role, a.created_at, a.last_used_at
FROM review r JOIN account a ON a.tenant_id IS NOT DISTINCT FROM r.tenant_id
UNION ALL SELECT r.id, 'key', k.id, r.tenant_id, NULL, 'rent', k.created_at, NULL FROM review r JOIN api_key k ON k.tenant_id = r.tenant_id;
INSERT INTO review_decision (review_id, kind, subject, tenant_id, outcome, note, account_id, human_id, at)
SELECT i.review_id, i.kind, i.subject, i.tenant_id, 'confirmed', '', w.account[1], w.human[1], r.opened_at + interval '3 days'
FROM review_item i JOIN review r ON r.id = i.review_id JOIN who w ON w.tenant IS NOT DISTINCT FROM i.tenant_id
WHERE r.closed_at IS NOT NULL OR substr(i.subject::text, 36) < '8'
"""


def _reviews(connection: psycopg.Connection[Any], house: House) -> None:
    values = {"tenants": [house.firm.tenant, None], "reviews": house.size.reviews}
    for statement in _REVIEWS.split(";\n"):
        connection.execute(statement, values)
