"""Recipients from a file, carried out: people, and what they consented to, in the one transaction of their chunk."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from troth.control.imports.importer import Taken, Work
from troth.keys import consents, places
from troth.keys.consents import Said
from troth.keys.ids import uuid7
from troth.keys.keyring import PersonKey
from troth.mail.address import parse_address
from troth.rules.consent import IMPLIED
from troth.rules.consent_given import KINDS, RECORDED

_APPLY = "SELECT * FROM troth.import_people_v1(%s, %s, %s, %s, %s, %s, %s, %s)"
_PEOPLE = """
SELECT p.blind_index, p.id, p.data_key FROM troth.person p
WHERE p.tenant_id = %s AND p.blind_index = ANY(%s) AND p.status <> 4
"""
_KNOWN = """
SELECT person_id, category_id, kind, basis, at FROM troth.consent WHERE tenant_id = %s AND person_id = ANY(%s)
"""
_RECORD = """
SELECT troth.consent_v1(%s, %s::uuid[], %s::uuid[], %s::uuid[], %s::smallint[], %s::text[], %s::timestamptz[],
                        %s::timestamptz[], %s::bytea[])
"""
_RECORDED, _THERE = "consents recorded", "consents on record already"


@dataclass(frozen=True, slots=True)
class _Made:
    """A row as it is written, if its address is new."""

    line: int
    person: UUID
    index: bytes
    sealed: bytes
    wrapped: bytes
    salt: bytes
    timezone: str | None
    key: PersonKey


def carry(work: Work, taken: Sequence[Taken]) -> Mapping[str, int]:
    """What became of the rows, counted."""
    now = _now(work)
    made = [_make(work, each, now) for each in taken]
    columns = ([m.line for m in made], [m.person for m in made], [m.index for m in made], [m.sealed for m in made],
               [m.wrapped for m in made], [m.salt for m in made], [m.timezone for m in made])  # fmt: skip
    outcome = {word: int(n) for word, n in work.connection.execute(_APPLY, (work.id, *columns)).fetchall()}
    told = [(each.value, one) for each, one in zip(taken, made, strict=True) if "consent" in each.value]
    return outcome | (_consents(work, told, now) if told else {})


def _make(work: Work, each: Taken, now: datetime) -> _Made:
    address, person = parse_address(each.value["email"]), uuid7(now)
    key, wrapped = work.own.new_person_key(person)
    sealed = key.seal(address.addr_spec.encode(), places.address(person))
    index = work.keys.secrets.blind_index().index(address.normal)
    return _Made(each.line, person, index, sealed, wrapped, secrets.token_bytes(32), each.value.get("timezone"), key)


def _now(work: Work) -> datetime:
    row = work.connection.execute("SELECT troth.now_v1()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def _consents(work: Work, told: Sequence[tuple[Mapping[str, str], _Made]], now: datetime) -> dict[str, int]:
    """One entry of the ledger for all of them; what is on record already stays as it is, an erased person has none."""
    found = work.connection.execute(_PEOPLE, (work.tenant, [one.index for _, one in told])).fetchall()
    people = {bytes(index): (person, bytes(key)) for index, person, key in found}
    ids = [person for person, _ in people.values()]
    known = set(work.connection.execute(_KNOWN, (work.tenant, ids)).fetchall())
    new, there = [], 0
    for value, one in told:
        person, wrapped = people.get(one.index, (None, b""))
        if person is None:
            continue
        key = one.key if person == one.person else work.own.person(wrapped, person)
        for category in value.get("categories", "").split() or [""]:
            row = _row(value, person, category)
            there += row in known
            if row not in known:
                new.append((*row, *_detail(work, value, key, now)))
    if new:
        persons, categories, kinds, bases, at, ids, until, details = (list(each) for each in zip(*new, strict=True))
        work.connection.execute(_RECORD, (work.tenant, ids, persons, categories, kinds, bases, at, until, details))
    return {word: n for word, n in ((_RECORDED, len(new)), (_THERE, there)) if n}


def _row(value: Mapping[str, str], person: UUID, category: str) -> tuple[UUID, UUID | None, int, str, datetime]:
    kind = KINDS[value["consent"]]
    basis = value["consent_basis"].lower() if kind == IMPLIED else RECORDED
    return person, UUID(category) if category else None, kind, basis, datetime.fromisoformat(value["consent_given_at"])


def _detail(work: Work, value: Mapping[str, str], key: PersonKey, now: datetime) -> tuple[UUID, datetime | None, bytes]:
    """Its id, its end, and what was said, sealed for the person to the place of that id."""
    made, until = uuid7(now), value.get("consent_expires_at")
    said = Said(value["consent_wording"], value["consent_how"], value.get("consent_source", ""), f"import:{work.id}")
    return made, datetime.fromisoformat(until) if until else None, consents.seal(key, made, said)
