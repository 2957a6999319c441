"""Recipients from a file: which columns it has, what a row must say, and carrying rows out (room imports).

Registered by it, or, where the client's policy accepts a pathway that somebody else vouches for, verified by it. An
address is judged as POST /recipients judges it.
"""

import zoneinfo
from collections.abc import Mapping, Sequence
from functools import cache
from uuid import UUID

from troth.control.approvals.standing import resolved, standing
from troth.control.audit.scope import Connection
from troth.control.imports.importer import Choice, Column, Ground, Options, Read, Row, Taken, Unfit, Words, Work
from troth.control.recipients import import_carrying
from troth.control.recipients.import_consents import COLUMNS, Consents
from troth.mail import address_lists
from troth.mail.address import Address
from troth.mail.inspect import Inspection, Wanted, inspect

_CONFIRM = (
    "",
    "Each confirms for themselves",
    "they are registered, and each gets a confirmation mail, within your limits; no other before they have confirmed",
)
_INVITED = (
    "employer-invitation",
    "Their employer invited them",
    "verified by this import; say above which employer, and how they were invited",
)
_AGREEMENTS = "SELECT id, name, signed_on FROM troth.agreement WHERE tenant_id = %s ORDER BY id DESC LIMIT 50"
_IDNA = "The domain is not a valid internationalised name (IDNA 2008): check its spelling."
_SAMPLE = (
    ("ana@example.net", "Europe/Lisbon", "express", "2026-01-05T10:00:00+00:00", "Yes, send me the monthly news.",
     "ticked a box at check-out", "192.0.2.9", "", "", ""),
    ("bo@example.net", "", "implied", "2026-02-11T09:30:00+01:00", "Bought a kettle.", "order 81", "",
     "existing-business", "", "2027-01-31T00:00:00+01:00"),
    ("cy@example.net", "America/Halifax", "", "", "", "", "", "", "", ""),
)  # fmt: skip


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
            *COLUMNS,
        ),
        lede="Who may get this client’s mail.",
        sample=_SAMPLE,
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

    def begin(self, header: Sequence[str], options: Options, ground: Ground, /) -> Read:
        del options
        at, blind = self.words.find(header), ground.keys.secrets.blind_index()
        consents = Consents(ground, at)
        wanted = _wanted(ground)

        def read(cells: Sequence[str]) -> Row:
            found = inspect(cells[at["email"]], wanted)
            address = _accept(found)
            value = {"email": address.addr_spec} | _zone(cells, at.get("timezone")) | consents.read(cells)
            says = tuple(value.get(column.name, "") for column in self.words.columns[1:])
            return Row(blind.index(address.normal), value, says, address.domain, _doubt(found))

        return read

    def then(self, options: Options, n: int, /) -> str:
        if not options.get("pathway"):
            return (
                f"{n:,} recipients are registered. Each gets a confirmation mail, within its client’s limits, "
                "and no other mail before they have confirmed their address."
            )
        return f"{n:,} recipients are verified ({options['pathway']}): from then on this client’s mail may go to them."

    def apply(self, work: Work, taken: Sequence[Taken], /) -> Mapping[str, int]:
        return import_carrying.carry(work, taken)


def _accepted(connection: Connection, tenant: UUID | None) -> tuple[str, ...]:
    """The pathways that the client's policy in force accepts."""
    policy = resolved(standing(connection, tenant)) if tenant else None
    return policy.recipients.pathways if policy else ()


def _wanted(ground: Ground) -> Wanted:
    policy = resolved(standing(ground.connection, ground.tenant))
    if policy is None:
        raise LookupError("no policy says which addresses this client takes")
    return Wanted(disposable=policy.recipients.disposable == "take", roles=policy.recipients.roles == "take")


def _accept(found: Inspection) -> Address:
    if found.sendable is not None:
        return found.sendable
    reason = found.reasons[0]
    hint = _IDNA if reason.code == "idna" else reason.sentence  # the library's words repeat the name
    meant = _provider(found)
    raise Unfit(reason.code, f"{hint} It looks like a slip of the hand for {meant}." if meant else hint)


def _doubt(found: Inspection) -> str:
    """As registering does with a slip of the hand: it is taken, and what was probably meant is told."""
    meant = _provider(found)
    return f"Taken as it stands, and it looks like a slip of the hand: was {meant} meant?" if meant else ""


def _provider(found: Inspection) -> str:
    """The domain that was probably meant, where it is one that everybody knows: it tells nothing of the row."""
    domain = (found.suggestion or "").rpartition("@")[2]
    return domain if domain in address_lists.providers() else ""


def _zone(cells: Sequence[str], at: int | None) -> dict[str, str]:
    if at is None or not cells[at]:
        return {}
    if cells[at] not in _zones():
        raise Unfit("timezone", "This is no time zone of the IANA list, such as Europe/London.")
    return {"timezone": cells[at]}


@cache
def _zones() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())


RECIPIENTS = _Recipients()
