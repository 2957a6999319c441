"""A month of a busy house, put in with triggers off: a thousand rows where a list is, and names as long as they come."""

import json
from uuid import UUID

from tests.support.firm import now
from tests.support.pages import Site

from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document

LONG = (
    "The Worshipful Company of Letting Agents, Caretakers and Boilermakers of Llanfairpwllgwyngyllgogerychwyrndrobwll"
)
_TALLY = """
INSERT INTO event_tally (tenant_id, hour, kind, n)
SELECT %s, date_trunc('hour', now_v1()) - make_interval(hours => h), k.kind,
       greatest(1, (k.share * (200 + 150 * sin(h / 3.8) + 40 * sin(h * 1.7)))::bigint)
FROM generate_series(0, 719) AS h, (VALUES (1, 1.0), (8, 0.97), (11, 0.012), (14, 0.0004), (5, 0.008), (13, 0.001)) AS k(kind, share)
WHERE k.share > 0.005 OR h %% 29 = 0
"""
_SPOOL = """
INSERT INTO spool (message_id, tenant_id, email_id, person_id, blind_index, category_id, category_snapshot, domain_id,
                   state, due, lifetime_ends)
SELECT (lpad(to_hex(((extract(epoch FROM now_v1()) - n * 7) * 1000)::bigint), 12, '0') || '7' || lpad(to_hex(n), 19, '0'))::uuid,
       %s, gen_random_uuid(), gen_random_uuid(), sha256(n::text::bytea), gen_random_uuid(), gen_random_uuid(),
       gen_random_uuid(), (ARRAY[2, 2, 2, 3, 4, 7, 10])[n %% 7 + 1], ends, ends
FROM generate_series(1, 1000) AS n, (SELECT now_v1() + interval '3 hours' AS ends) AS clock
"""


def busy(site: Site) -> None:
    """Volumes, a queue, a pause, changes that wait, a domain that is not ready, long names, a thousand templates."""
    database, tenant = site.operator.database, site.firm.tenant
    for each in (tenant, site.other.tenant):
        database.fill(_TALLY, each)
    database.fill(_SPOOL, tenant)
    site.operator.admin.execute(
        "SELECT pause_v1(%s::uuid[], 'stop-new', %s, 'watch')",
        ([site.other.tenant], "The hour had 212 % of its seven-day average."),
    )
    site.firm.domain_ready(False)
    database.fill("UPDATE domain_state SET findings = %s WHERE domain_id = %s", json.dumps([
        {"ok": False, "code": "dmarc.weak", "sentence": "The DMARC record asks receivers to do nothing (p=none).", "saw": []},
        {"ok": True, "code": "spf.ok", "sentence": "SPF holds.", "saw": []}]), site.firm.domain)  # fmt: skip
    for n, reason in enumerate(("Adds the late-fee paragraph that the new tenancy terms require.", LONG * 3)):
        propose(site, f"reminder-{'long-' * 9 * n}b", reason)
    long_names(site)
    templates(site, 1000)


def propose(site: Site, code: str, reason: str) -> UUID:
    """A template that waits for its second person."""
    artefact = {
        "category": "rent",
        "subject": "Rent",
        "html": "<p>Rent</p>",
        "text": "Rent",
        "schema": {},
        "targeting": {},
    }
    change = uuid7(now())
    site.operator.control.execute(
        "SELECT propose_v1(%s,'template',%s,%s,%s,%s,%s,%s)",
        (
            change,
            site.firm.tenant,
            uuid7(now()),
            code,
            canonical_document(artefact).decode(),
            reason,
            site.operator.sessions[0],
        ),
    )
    return change


def long_names(site: Site) -> None:
    """The second client is called LONG, in what was approved as in the row."""
    database, tenant = site.operator.database, site.other.tenant
    database.fill("UPDATE tenant SET name = %s WHERE id = %s", LONG, tenant)
    database.fill("UPDATE snapshot SET artefact = jsonb_set(artefact::jsonb, '{name}', to_jsonb(%s::text))::text,"
                  " digest = sha256(convert_to(jsonb_set(artefact::jsonb, '{name}', to_jsonb(%s::text))::text, 'UTF8'))"
                  " WHERE subject = %s", LONG, LONG, tenant)  # fmt: skip


def templates(site: Site, n: int) -> None:
    """More templates of the firm, each with the approved one's artefact and one version."""
    site.operator.database.fill(
        "WITH made AS (INSERT INTO snapshot (id, kind, tenant_id, subject, code, version, artefact, digest, change_id,"
        " proposer_human, approver_human, approved_at)"
        " SELECT gen_random_uuid(), 'template', s.tenant_id, gen_random_uuid(),"
        " 'notice-' || n || CASE WHEN n %% 50 = 0 THEN repeat('-very-long', 5) ELSE '' END, 1, s.artefact, s.digest,"
        " gen_random_uuid(), s.proposer_human, s.approver_human, s.approved_at - make_interval(mins => n)"
        " FROM snapshot s, generate_series(1, %s) AS n WHERE s.subject = %s AND s.version = 1"
        " RETURNING subject, tenant_id, code, id)"
        " INSERT INTO governed (subject, kind, tenant_id, code, snapshot_id) SELECT subject, 'template', tenant_id, code, id FROM made",
        n, site.firm.template,
    )  # fmt: skip
