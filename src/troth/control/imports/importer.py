"""Imports: what a room that takes rows from files says of itself, and what one row comes to.

Unreadable(Exception)   permanent: the file as a whole cannot be taken; nothing of it is kept
Unfit(Exception)        permanent: one row is left out; `code` is stable, `hint` repeats nothing of the row
Waits(Exception)        temporary: the file cannot be judged now; it is begun again later
Stopped(Exception)      temporary: the process ends; the file waits for the next
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from troth.control.audit.scope import Connection
from troth.keys.keyring import TenantKeys
from troth.keys.opened import Keys

type Options = Mapping[str, str]


class Unreadable(Exception):  # noqa: N818 - reads as the sentence it raises
    """The whole file is refused, in a sentence that says what to do."""


class Unfit(Exception):  # noqa: N818 - reads as the sentence it raises
    """One row cannot be taken."""

    def __init__(self, code: str, hint: str) -> None:
        super().__init__(hint)
        self.code, self.hint = code, hint


class Waits(Exception):  # noqa: N818 - reads as the sentence it raises
    """What has to be asked does not answer; the sentence says so to whoever handed the file in."""


class Stopped(Exception):  # noqa: N818 - the process ends; the file waits
    """Asked to end before the end of the file."""


@dataclass(frozen=True, slots=True)
class Column:
    """`name` is what a row's value calls it; `also`: other headings by which files call it, in lower case."""

    name: str
    also: tuple[str, ...] = ()
    required: bool = False
    hint: str = ""

    def is_headed(self, heading: str) -> bool:
        plain = heading.strip().casefold().replace("_", " ").replace("-", " ")
        return plain in {each.replace("_", " ").replace("-", " ") for each in (self.name, *self.also)}


@dataclass(frozen=True, slots=True)
class Choice:
    """A question of the upload's form, beside file and source. `of`: (value, label) or (value, label, hint). `only`:
    another one's name, and with which of its values this one's answer matters; None: always.
    """

    name: str
    label: str
    of: tuple[tuple[str, ...], ...]
    hint: str = ""
    only: tuple[str, tuple[str, ...]] | None = None


def said(choices: Sequence[Choice], options: Options) -> list[tuple[str, str]]:
    """What was chosen, as (question, answer) in the form's own words; of what matters for this file."""
    asked = [each for each in choices if each.only is None or options.get(each.only[0]) in each.only[1]]
    found = [(each, options.get(each.name, "")) for each in asked if each.name in options]
    return [(each.label, {one[0]: one[1] for one in each.of}.get(value, value)) for each, value in found]


@dataclass(frozen=True, slots=True)
class Words:
    """`section`: of the menu; `back`: the page that one came from; `rows`: what its rows are, as "12 addresses"."""

    title: str
    section: str
    back: str
    rows: str
    columns: tuple[Column, ...]
    lede: str = ""
    house: bool = False  # whether the operator's own may come from a file, too, where there is no client
    forms: str = "CSV or TSV, with a first line that names the columns."  # which files are taken: the field's hint
    shape: str = (  # what they look like, under the form
        "CSV or TSV. Its first line names the columns; their order does not matter, and columns of other names are not "
        "looked at. Two lines about the same one are taken once when they agree; when they do not, both are left out."
    )
    undo: str = "There is no undo for a whole import: each row is changed or erased by itself."
    sample: tuple[tuple[str, ...], ...] = ()  # rows under the columns' names

    def find(self, header: Sequence[str]) -> dict[str, int]:
        """Where each column stands; Unreadable for one that is missing, or that is there twice."""
        found: dict[str, int] = {}
        for place, heading in enumerate(header):
            column = next((each for each in self.columns if each.is_headed(heading)), None)
            if column is not None and column.name in found:
                both = f"{header[found[column.name]]!r} and {heading!r}"
                raise Unreadable(f"Two columns could be “{column.name}”: {both}. Leave one out.")
            if column is not None:
                found[column.name] = place
        for column in self.columns:
            if column.required and column.name not in found:
                known = ", ".join(f"“{each}”" for each in (column.name, *column.also))
                raise Unreadable(
                    f"The first line names no column “{column.name}”. It must name the columns, one of them as one of: "
                    f"{known}."
                )
        return found

    def ignored(self, header: Sequence[str]) -> list[str]:
        """Headings that mean nothing to this importer."""
        return [each for each in header if not any(column.is_headed(each) for column in self.columns)]


@dataclass(frozen=True, slots=True)
class Row:
    """One good row. `key`: 16 octets or more that make two rows the same; `value` is sealed and comes to `apply`;
    `says`: what two of the same must agree on, `value` where nothing else is given. `domain`: it is taken only when
    this domain takes mail (hosts.py). `doubt`: it is taken, and whoever approves is told this of it; like a hint.
    """

    key: bytes
    value: dict[str, str]
    says: tuple[str, ...] | None = None
    domain: str = ""
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A row to carry out, and the line it stood on."""

    line: int
    value: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Work:
    """Where rows are carried out: `connection` is in a transaction for `tenant` (None: the operator), of role
    troth_control; `own` is that tenant's keyset, or the operator's.
    """

    connection: Connection
    keys: Keys
    own: TenantKeys
    tenant: UUID | None
    id: UUID
    options: Options


@dataclass(frozen=True, slots=True)
class Ground:
    """What a file is read against, at its beginning: `connection` is in a transaction for `tenant`."""

    connection: Connection
    keys: Keys
    tenant: UUID | None


type Read = Callable[[Sequence[str]], Row]


class Importer(Protocol):
    """See the package's own docstring."""

    @property
    def kind(self) -> str: ...

    @property
    def words(self) -> Words: ...

    def choices(self, connection: Connection, tenant: UUID | None) -> tuple[Choice, ...]:
        """Asked within a page's transaction for `tenant`; what is answered comes back as `options`."""

    def begin(self, header: Sequence[str], options: Options, ground: Ground, /) -> Read:
        """Once a file."""

    def then(self, options: Options, n: int, /) -> str:
        """What follows from an approval, in a sentence."""

    def apply(self, work: Work, taken: Sequence[Taken], /) -> Mapping[str, int]:
        """Carry rows out; what is raised leaves all of them undone."""
