"""Control of ENC-5: field-level encryption of sensitive fields."""

from collections.abc import Iterator
from typing import Any

from troth.control.trust import fences
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.measures import BROKEN, refused
from troth.keys import places
from troth.keys.errors import Undecryptable
from troth.mail.address import AddressError, parse_address

_PEOPLE = """
SELECT id, address_ct, data_key, blind_index, status = 4 FROM person
WHERE tenant_id = %s ORDER BY created_at DESC LIMIT 300
"""
_ACCOUNTS = "SELECT id, name_ct, address_ct FROM account WHERE tenant_id IS NOT DISTINCT FROM %s LIMIT 300"
_SHARED = "SELECT count(*) - count(DISTINCT data_key) FROM person WHERE tenant_id = %s AND data_key IS NOT NULL"


def check(look: Look, _: Programme | None) -> Found:
    findings, schema = Findings(), look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "person", "account", "tenant"))
    findings.take(fences.checks(
        schema, "person", "get_byte(address_ct, 0) = 2", "get_byte(data_key, 0) = 1", "octet_length(blind_index) = 32",
        "(status = 4) = (data_key IS NULL)", "(status = 4) = (address_ct IS NULL)"))  # fmt: skip
    findings.take(fences.checks(schema, "account", "get_byte(name_ct, 0) = 1", "get_byte(address_ct, 0) = 1"))
    findings.take(fences.checks(schema, "tenant", "octet_length(keyset) > 28"))
    findings.take(fences.not_null(schema, "tenant", "keyset"))
    findings.take(fences.functions(schema, "erase_person_v1", "apply_tenant", "apply_grant"))
    refused(findings, look, {"person-plain": BROKEN, "person-keyless": BROKEN, "account-plain": BROKEN})
    people = sum(_people(findings, look, tenant) for tenant in look.tenants)
    for tenant_id in (None, *(tenant.id for tenant in look.tenants)):
        findings.take(_accounts(look, tenant_id))
    if not people:
        findings.missing.append("there is no recipient yet")
    return findings.done()


def _people(findings: Findings, look: Look, tenant: Tenant) -> int:
    keys = look.keys(tenant)
    with look.of(tenant.id) as connection:
        rows = connection.execute(_PEOPLE, (tenant.id,)).fetchall()
        shared = connection.execute(_SHARED, (tenant.id,)).fetchone()
    findings.need(not (shared and shared[0]), f"people of {tenant.id} share a key")
    for person, sealed, wrapped, index, erased in rows:
        if erased:
            findings.need(sealed is None and wrapped is None, f"something is left of the erased person {person}")
            continue
        try:
            address = keys.person(wrapped or b"", person).open(sealed or b"", places.address(person))
            normal = parse_address(address.decode()).normal
        except (Undecryptable, AddressError, UnicodeDecodeError):
            findings.wrong.append(f"the address of person {person} is not sealed under a key of its own")
            continue
        layers = {found for _, found in look.secrets.blind_index().all_layers(normal)}
        findings.need(index in layers, f"the index of person {person} is not of its address")
    findings.seen["people_looked_at"] = findings.seen.get("people_looked_at", 0) + len(rows)
    return len(rows)


def _accounts(look: Look, tenant: Any) -> Iterator[str]:
    with look.of(tenant) as connection:
        rows = connection.execute(_ACCOUNTS, (tenant,)).fetchall()
    for account, *sealed in rows:
        for column, ciphertext in zip(("name", "address"), sealed, strict=True):
            try:
                look.operator.open(ciphertext, places.account(account, column))
            except Undecryptable:
                yield f"the {column} of account {account} is not sealed"


CONTROL = Control(
    "ENC-5",
    "enc_5",
    HOUR,
    "Writing an address or a name in the clear is tried and must be refused; recipients' and accounts' fields are "
    "opened, each with the key that is its own; no two people share one.",
    check,
)
