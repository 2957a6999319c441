"""Control of ENC-4: nothing is stored in plaintext: bodies, variables, addresses and secrets are ciphertext."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from psycopg import sql

from troth.control import ownership
from troth.control.trust import fences, plaintext, sample
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import BROKEN, refused
from troth.keys import places
from troth.keys.errors import Undecryptable

_ROWS = 200
_LOOKED = 5_000
_LETTERS = """
SELECT b.message_id, m.person_id, b.body_ct, m.decision_ct, p.data_key, p.address_ct
FROM message_body b JOIN message m ON m.id = b.message_id LEFT JOIN person p ON p.id = m.person_id
WHERE b.tenant_id = %s AND m.tenant_id = %s ORDER BY b.message_id DESC LIMIT %s
"""
_REQUESTS = (
    "SELECT id, decision_ct FROM api_request WHERE tenant_id = %s AND decision_ct IS NOT NULL ORDER BY id DESC LIMIT %s"
)
_SUPPRESSED = (
    "SELECT blind_index, address_ct FROM suppression WHERE address_ct IS NOT NULL ORDER BY created_at DESC LIMIT %s"
)
_ATTEMPTS = ("suppression-plain", "dkim-plain", "person-plain", "account-plain", "body-plain", "event-plain")
_NEWEST = {"email": "id", "message": "id", "message_body": "message_id", "event": "message_id", "api_request": "id"}


def check(look: Look, _: Programme | None) -> Found:
    findings, schema = Findings(), look.schema
    findings.take(fences.house(schema))
    findings.take(plaintext.unlisted(schema))
    findings.take(plaintext.unfenced(schema))
    findings.take(
        fences.tables(schema, "message", "message_body", "event", "person", "installation", "tenant", "dkim_key")
    )
    findings.take(fences.checks(
        schema, "installation", "octet_length(secrets_ct) > 28", "octet_length(operator_keyset) > 28"))  # fmt: skip
    findings.take(fences.not_null(schema, "message_body", "body_ct"))
    findings.take(fences.not_null(schema, "message", "decision_ct"))
    refused(findings, look, dict.fromkeys(_ATTEMPTS, BROKEN))
    for tenant in look.tenants:
        _sealed(findings, look, tenant)
    findings.take(_suppressed(look))
    for tenant_id in (None, *(tenant.id for tenant in look.tenants)):
        findings.take(_words(look, tenant_id))
        findings.take(_printed(look, tenant_id))
    if not findings.seen.get("letters_opened"):
        findings.missing.append("there is no message yet")
    return findings.done()


def _sealed(findings: Findings, look: Look, tenant: Tenant) -> None:
    """The newest letters, decisions and events open with the key of the person whom they are to, each in its place."""
    keys = look.keys(tenant)
    with look.of(tenant.id) as connection:
        letters = connection.execute(_LETTERS, (tenant.id, tenant.id, _ROWS)).fetchall()
        requests = connection.execute(_REQUESTS, (tenant.id, _ROWS)).fetchall()
    for message, person, body, decision, wrapped, _ in letters:
        if wrapped is None:  # erased: nobody opens it any more
            continue
        try:
            key = keys.person(wrapped, person)
            key.open(body, places.body(message))
            key.open(decision, places.decision(message))
        except Undecryptable:
            findings.wrong.append(f"the body or decision of message {message} is not sealed under its person's key")
    for request, decision in requests:
        try:
            keys.open(decision, places.request(request))
        except Undecryptable:
            findings.wrong.append(f"the decision of request {request} is not sealed under its client's keyset")
    for message in sample.messages(look, tenant):
        for event in message.events:
            findings.need(event.why != "its detail does not open", f"an event of message {message.id} is not sealed")
    findings.seen["letters_opened"] = findings.seen.get("letters_opened", 0) + len(letters)


def _suppressed(look: Look) -> Iterator[str]:
    for tenant in (None, *(each.id for each in look.tenants)):
        with look.of(tenant) as connection:
            rows = connection.execute(_SUPPRESSED, (_ROWS,)).fetchall()
        for index, sealed in rows:
            try:
                look.operator.open(sealed, places.suppression(bytes(index)))
            except Undecryptable:
                yield f"the address of suppression {bytes(index).hex()[:12]} is not sealed under the operator's keyset"


def _words(look: Look, tenant: UUID | None) -> Iterator[str]:
    """Columns of codes and names hold no address, and those of aliases no other."""
    for table, column in _selectable(look, "words", "alias"):
        for value in _values(look, tenant, table, column):
            if "@" in str(value) and not str(value).endswith(plaintext.ALIAS):
                yield f"{table}.{column} holds something like an address"
                break


def _printed(look: Look, tenant: UUID | None) -> Iterator[str]:
    """Nothing in a sealed column can be read."""
    for table, column in _selectable(look, "sealed-1", "sealed-2", "wrapped"):
        for value in _values(look, tenant, table, column, most=_ROWS):
            if isinstance(value, bytes) and plaintext.readable(value):
                yield f"{table}.{column} holds something that can be read"
                break


def _selectable(look: Look, *classes: str) -> Iterator[tuple[str, str]]:
    """What this role may read of these classes."""
    grants = {table.name: table.grants.get(ownership.CONTROL, "") for table in ownership.TABLES}
    whole = {name for name, text in grants.items() if text.startswith("SELECT") and not text.startswith("SELECT (")}
    for table, column, _ in plaintext.of_class(*classes):
        if table in whole and column in look.schema.columns.get(table, {}):
            yield table, column


def _values(look: Look, tenant: UUID | None, table: str, column: str, most: int = _LOOKED) -> Iterator[Any]:
    newest = sql.SQL(" ORDER BY {} DESC").format(sql.Identifier(_NEWEST[table])) if table in _NEWEST else sql.SQL("")
    query = sql.SQL("SELECT {} FROM {} WHERE {} IS NOT NULL{} LIMIT {}").format(
        sql.Identifier(column), sql.Identifier(table), sql.Identifier(column), newest, sql.Literal(most)
    )
    with look.of(tenant) as connection:
        yield from (row[0] for row in connection.execute(query).fetchall())


CONTROL = Control(
    "ENC-4",
    "enc_4",
    HOUR,
    "Every column that can hold words is listed with what it holds; writing bodies, addresses and keys in the "
    "clear is tried and must be refused; the newest ciphertexts are opened with their own keys; and columns of "
    "codes are read for addresses.",
    check,
)
