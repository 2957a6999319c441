"""A client with a history: messages over eight weeks, as the gate and events.py would have left them, put in by SQL.

People are real (their keys open), so are the decisions and details of the newest messages; the rest has a filler of the
size that a row has beside its TOAST. Triggers are off, so the ledger knows nothing of it.
"""

import json
import os
from collections.abc import Sequence
from uuid import UUID

from tests.support.firm import Firm, now

from troth.keys import places
from troth.keys.ids import uuid7
from troth.mail.address import parse_address

WEEKS = 8
LONG = "the-longest-local-part-that-anybody-would-type-into-a-form-twice"
_PARTITIONS = """
DO $$
DECLARE week timestamptz := date_trunc('week', troth.now_v1() - interval '{weeks} weeks', 'UTC'); parent text; part text;
BEGIN
    WHILE week < troth.now_v1() LOOP
        FOREACH parent IN ARRAY ARRAY['email', 'message', 'message_body', 'event', 'api_request'] LOOP
            part := parent || '_' || to_char(week AT TIME ZONE 'UTC', 'IYYY"w"IW');
            IF to_regclass('troth.' || part) IS NULL THEN
                EXECUTE format('CREATE TABLE troth.%I (LIKE troth.%I INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE)', part, parent);
                EXECUTE format('ALTER TABLE troth.%I ATTACH PARTITION troth.%I FOR VALUES FROM (%L) TO (%L)', parent, part,
                               troth.uuid7_floor(week), troth.uuid7_floor(week + interval '7 days'));
            END IF;
        END LOOP;
        week := week + interval '7 days';
    END LOOP;
END $$
"""
# Evenly over the weeks, the newest a minute ago. Of 10,000: 20 failed, 100 bounced, 120 suppressed, 5 expired, the rest
# delivered or sent; the newest few wait. Categories are a tenth each, but for the first (most) and the last (20 in 10,000).
_MADE = """
CREATE TEMP TABLE made AS
SELECT n, (h || '7' || substr(r, 1, 3) || '8' || substr(r, 4, 15))::uuid AS id,
       (h || '7' || substr(r, 18, 3) || '9' || substr(r, 4, 15))::uuid AS email_id, at,
       (%(people)s::uuid[])[1 + n %% cardinality(%(people)s::uuid[])] AS person_id,
       (%(categories)s::uuid[])[CASE WHEN n %% 500 = 7 THEN cardinality(%(categories)s::uuid[])
           WHEN n %% 10 < 5 OR cardinality(%(categories)s::uuid[]) < 3 THEN 1
           ELSE 2 + n %% (cardinality(%(categories)s::uuid[]) - 2) END] AS category_id,
       CASE WHEN n <= 30 THEN 2 WHEN n <= 40 THEN 10 WHEN n <= 50 THEN 7 WHEN n %% 500 = 1 THEN 14 WHEN n %% 100 = 2 THEN 8
            WHEN n %% 80 = 3 THEN 11 WHEN n %% 2000 = 4 THEN 13 WHEN n %% 10 = 5 THEN 5 ELSE 6 END AS state
FROM (SELECT n, at, lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') AS h, md5(n || 'x' || %(tenant)s::text) AS r
      FROM (SELECT n, clock.at - interval '1 minute' - n * (make_interval(weeks => %(weeks)s) / %(rows)s::float8) AS at
            FROM generate_series(1, %(rows)s) AS n, (SELECT troth.now_v1() AS at) AS clock) AS a) AS b
ORDER BY n DESC
"""
_INTO = (
    ("INSERT INTO email (id, tenant_id, category_id, category_snapshot, template_snapshot, policy_digest, created_at, recipients)"
     " SELECT email_id, %(tenant)s, category_id, %(category_snapshot)s, %(template)s, decode(repeat('00', 32), 'hex'), at, 1 FROM made"),
    ("INSERT INTO message (id, email_id, tenant_id, person_id, blind_index, category_id, field, created_at, decision_ct, state, state_at)"
     " SELECT m.id, m.email_id, %(tenant)s, m.person_id, p.blind_index, m.category_id, 1, m.at, '\\x02'::bytea || %(filler)s,"
     " m.state, m.at + interval '2 seconds' FROM made m JOIN person p ON p.id = m.person_id ORDER BY m.n DESC"),
    ("INSERT INTO event (message_id, kind, source_key, tenant_id, at, detail_ct, leaf_hash)"
     " SELECT id, 1, 'gate', %(tenant)s, at, '\\x02'::bytea || %(filler)s, sha256(id::text::bytea) FROM made"),
    ("INSERT INTO event (message_id, kind, source_key, tenant_id, at, detail_ct, leaf_hash)"
     " SELECT id, (CASE state WHEN 14 THEN 13 WHEN 8 THEN 11 WHEN 11 THEN 5 WHEN 13 THEN 7 WHEN 10 THEN 3 WHEN 7 THEN 9 ELSE 8 END),"
     " 'attempt:1', %(tenant)s, at + interval '2 seconds', '\\x02'::bytea || %(filler)s, sha256(id::text::bytea || 'e')"
     " FROM made WHERE state <> 2"),
    ("INSERT INTO event (message_id, kind, source_key, tenant_id, at, leaf_hash)"
     " SELECT id, 14, 'loop', %(tenant)s, at + interval '1 hour', sha256(id::text::bytea || 'c') FROM made WHERE n %% 3000 = 9"),
    ("INSERT INTO spool (message_id, tenant_id, email_id, person_id, blind_index, category_id, category_snapshot, domain_id,"
     " state, due, lifetime_ends) SELECT m.id, %(tenant)s, m.email_id, m.person_id, p.blind_index, m.category_id,"
     " %(category_snapshot)s, %(domain)s, m.state, m.at + interval '3 days', m.at + interval '3 days'"
     " FROM made m JOIN person p ON p.id = m.person_id WHERE m.state IN (2, 7, 10)"),
)  # fmt: skip
_SUPPRESSIONS = (
    ("INSERT INTO suppression (blind_index, reason, source, tenant_id, address_ct, created_at)"
     " SELECT coalesce((%(indexes)s::bytea[])[n], sha256(('s' || n || %(tenant)s::text)::bytea)), 1 + n %% 6,"
     " CASE WHEN n %% 6 < 2 THEN 'smtp:' || gen_random_uuid() ELSE 'one-click' END, %(tenant)s, NULL,"
     " troth.now_v1() - n * interval '7 seconds' FROM generate_series(1, %(rows)s) AS n"),
    ("INSERT INTO opt_out (tenant_id, blind_index, category_id, source, created_at)"
     " SELECT %(tenant)s, coalesce((%(indexes)s::bytea[])[n], sha256(('o' || n || %(tenant)s::text)::bytea)), %(category)s,"
     " 'one-click', troth.now_v1() - n * interval '61 seconds' FROM generate_series(1, %(rows)s / 10) AS n"),
)  # fmt: skip
SENT = {
    "attempt": 1, "phase": "eod", "code": 250, "enhanced": "2.0.0", "text": "Ok: queued as 4XtR2c0Kz", "size": 6204,
    "selector": "s1", "bits": 2048, "message_id": "x@mail.firm.example",
    "headers": ["DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=mail.firm.example;", "  s=s1; t=1795166560; b=" + "Vh2cP0mT8r" * 30,
                "From: Firm firm <rent@mail.firm.example>", "To: someone@example.net", "Subject: Your rent for December is due",
                " on 1 December", "Date: Fri, 20 Nov 2026 09:12:40 +0000", "Message-ID: <x@mail.firm.example>",
                "List-Unsubscribe: <https://u.example/u/" + "q" * 120 + ">", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"],
    "conversation": ["< 220 mx.example.net ESMTP", "> EHLO out.example", "< 250-mx.example.net", "> MAIL FROM:<b+x@r.example>",
                     "> RCPT TO:<someone@example.net>", "< 250 2.1.0 Ok", "> DATA", "< 250 2.0.0 Ok: queued as 4XtR2c0Kz"],
}  # fmt: skip
DECISION = {"outcome": "accept", "code": "ok", "verdicts": [
    {"check": f"{name}", "outcome": "accept", "code": "ok", "sentence": f"The {name.replace('_', ' ')} holds as the policy asks.",
     "saw": {"used": 112, "cap": 600, "window": "hour", "names": ["spf", "dkim"]}}
    for name in ("tenant_active", "tenant_not_paused", "key_live", "category_approved", "key_scope", "sender_matches",
                 "template_approved", "raw_content", "variables_fit", "size", "attachments", "headers", "schedule",
                 "domain_ready", "address_syntax", "recipient_verified", "not_suppressed", "rate_key", "rate_tenant_hour",
                 "rate_tenant_day", "rate_template", "rate_recipient")]}  # fmt: skip


def partitions(firm: Firm, weeks: int = WEEKS) -> None:
    """Those of the weeks behind, as make_partitions_v1 made them when they lay ahead."""
    with firm.operator.database.owner() as connection:
        connection.execute(_PARTITIONS.replace("{weeks}", str(weeks + 1)))


def people(firm: Firm, n: int) -> list[str]:
    """Recipients with keys that open; every fiftieth has as long an address as there may be."""
    rows, addresses, made = [], [], now()
    for number in range(n):
        tail = f".{LONG[:40]}" if number % 50 == 49 else ""
        domain = "a-branch-office-with-a-very-long-name.subdomain.example.net" if number % 50 == 49 else "example.net"
        address, person = f"tenant{number}{tail[:20]}@{domain}", uuid7(made)
        key, wrapped = firm.keys.new_person_key(person)
        sealed = key.seal(parse_address(address).addr_spec.encode(), places.address(person))
        rows.append(
            (person, firm.tenant, firm.index(address), sealed, wrapped, os.urandom(16), 2, "system", made, made)
        )
        firm.people[address] = person
        addresses.append(address)
    columns = "id, tenant_id, blind_index, address_ct, data_key, salt, status, pathway, verified_at, created_at"
    with firm.operator.database.filler() as connection, connection.cursor() as cursor:
        with cursor.copy(f"COPY person ({columns}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    return addresses


def messages(firm: Firm, n: int, *, categories: Sequence[UUID] = (), weeks: int = WEEKS, real: int = 1000) -> None:
    """`n` messages to the firm's people, evenly over the weeks; the newest `real` with a decision and details to open."""
    partitions(firm, weeks)
    values = {
        "tenant": firm.tenant, "people": list(firm.people.values()), "categories": list(categories) or [firm.category],
        "rows": n, "weeks": weeks, "filler": os.urandom(99), "domain": firm.domain,
        "category_snapshot": firm.operator.snapshot(firm.category), "template": firm.operator.snapshot(firm.template),
    }  # fmt: skip
    with firm.operator.database.filler() as connection, connection.transaction():
        connection.execute(_MADE, values)
        for statement in _INTO:
            connection.execute(statement, values)
        connection.execute("DROP TABLE made")
    opened(firm, real)


def opened(firm: Firm, n: int) -> None:
    """The newest messages get a decision and details under their people's own keys."""
    with firm.operator.database.filler() as connection:
        newest = connection.execute(
            "SELECT m.id, p.id, p.data_key FROM message m JOIN person p ON p.id = m.person_id"
            " WHERE m.tenant_id = %s ORDER BY m.id DESC LIMIT %s", (firm.tenant, n),
        ).fetchall()  # fmt: skip
        details = {
            1: {},
            8: SENT,
            3: {"reason": "review", "sentence": "Two people look at it first."},
            9: {**SENT, "code": 451},
        }
        decision = json.dumps(DECISION).encode()
        with connection.transaction(), connection.cursor() as cursor:
            for message, person, wrapped in newest:
                key = firm.keys.person(wrapped, person)
                cursor.execute(
                    "UPDATE message SET decision_ct = %s WHERE id = %s",
                    (key.seal(decision, places.decision(message)), message),
                )
                for kind, source in ((1, "gate"), (8, "attempt:1"), (3, "attempt:1"), (9, "attempt:1")):
                    text = json.dumps({"salt": "00" * 16, "detail": details[kind]}).encode()
                    cursor.execute(
                        "UPDATE event SET detail_ct = %s WHERE message_id = %s AND kind = %s AND source_key = %s",
                        (key.seal(text, places.event(message, source)), message, kind, source),
                    )


def suppressions(firm: Firm, n: int) -> None:
    """`n` on the firm's list, a tenth as many opt-outs; the first are its people."""
    values = {"tenant": firm.tenant, "rows": n, "category": firm.category,
              "indexes": [firm.index(address) for address in list(firm.people)[:200]]}  # fmt: skip
    with firm.operator.database.filler() as connection, connection.transaction():
        for statement in _SUPPRESSIONS:
            connection.execute(statement, values)


def analyzed(firm: Firm) -> None:
    """What autovacuum does within minutes."""
    with firm.operator.database.open() as admin:
        admin.execute("VACUUM (ANALYZE)")
