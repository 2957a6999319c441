"""Recipients from a file: which columns it has, what a row must say, and carrying rows out (room imports).

Registered by it, or, where the client's policy accepts a pathway that somebody else vouches for, verified by it.
"""

import secrets
import zoneinfo
from collections.abc import Mapping, Sequence
from functools import cache
from uuid import UUID

from troth.control.approvals.standing import resolved, standing
from troth.control.audit.scope import Connection
from troth.control.imports.importer import Choice, Column, Options, Read, Row, Taken, Unfit, Words, Work
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.opened import Keys
from troth.mail.address import AddressError, parse_address

_CONFIRM = ("", "Each confirms for themselves", "they are registered; no mail goes to them before they have confirmed")
_INVITED = (
    "employer-invitation",
    "Their employer invited them",
    "verified by this import; say above which employer, and how they were invited",
)
_AGREEMENTS = "SELECT id, name, signed_on FROM troth.agreement WHERE tenant_id = %s ORDER BY id DESC LIMIT 50"
_APPLY = "SELECT * FROM troth.import_people_v1(%s, %s, %s, %s, %s, %s, %s, %s)"


class _Recipients:
    """See `troth.control.imports`."""

    kind = "recipients"
    words = Words(
        title="Import recipients",
        section="recipients",
        back="/recipients",
        rows="recipients",
        columns=(
            Column("email", ("email address", "e-mail", "address", "mail", "recipient"), True, "One address, no name."),
            Column("timezone", ("time zone", "tz"), False, "An IANA name such as Europe/London, for quiet hours."),
        ),
        lede="Who may get this client’s mail.",
    )

    def choices(self, connection: Connection, tenant: UUID | None) -> tuple[Choice, ...]:
        accepted = _accepted(connection, tenant)
        of: list[tuple[str, ...]] = [_CONFIRM]
        if _INVITED[0] in accepted:
            of.append(_INVITED)
        if "vendor-agreement" in accepted:
            found = connection.execute(_AGREEMENTS, (tenant,)).fetchall()
            of += [(f"vendor-agreement:{one}", f"The agreement “{name}” names them", f"signed {signed}")
                   for one, name, signed in found]  # fmt: skip
        return (Choice("pathway", "How their addresses are verified", tuple(of)),)

    def begin(self, header: Sequence[str], options: Options, keys: Keys) -> Read:
        del options
        at, blind = self.words.find(header), keys.secrets.blind_index()
        email, zone = at["email"], at.get("timezone")

        def read(cells: Sequence[str]) -> Row:
            try:
                address = parse_address(cells[email])
            except AddressError as wrong:
                raise Unfit(wrong.code, wrong.hint) from None
            value = {"email": address.addr_spec}
            if zone is not None and cells[zone]:
                if cells[zone] not in _zones():
                    raise Unfit("timezone", "This is no time zone of the IANA list, such as Europe/London.")
                value["timezone"] = cells[zone]
            return Row(blind.index(address.normal), value, (value.get("timezone", ""),))

        return read

    def then(self, options: Options, n: int) -> str:
        if not options.get("pathway"):
            return f"{n:,} recipients are registered. Each gets no mail before they have confirmed their address."
        return f"{n:,} recipients are verified ({options['pathway']}): from then on this client’s mail may go to them."

    def apply(self, work: Work, taken: Sequence[Taken]) -> Mapping[str, int]:
        clock = work.connection.execute("SELECT troth.now_v1()").fetchone()
        assert clock is not None
        blind, made = work.keys.secrets.blind_index(), []
        for each in taken:
            address, person = parse_address(each.value["email"]), uuid7(clock[0])
            key, wrapped = work.own.new_person_key(person)
            sealed = key.seal(address.addr_spec.encode(), places.address(person))
            made.append((each.line, person, blind.index(address.normal), sealed, wrapped, secrets.token_bytes(32),
                         each.value.get("timezone")))  # fmt: skip
        columns = [list(column) for column in zip(*made, strict=True)]
        found = work.connection.execute(_APPLY, (work.id, *columns)).fetchall()
        return {word: int(n) for word, n in found}


def _accepted(connection: Connection, tenant: UUID | None) -> tuple[str, ...]:
    """The pathways that the client's policy in force accepts."""
    policy = resolved(standing(connection, tenant)) if tenant else None
    return policy.recipients.pathways if policy else ()


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


RECIPIENTS = _Recipients()
