"""Claims, for people: the list: what each promises, how it stands over the programmes asked for, who answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from troth.control.audit.scope import Connection
from troth.control.trust import promised
from troth.control.trust.catalogue import Claim, claims
from troth.control.trust.look import Programme
from troth.control.trust.standing import Standing, chosen, programmes, stored

STATES = ("holds", "fails", "stale", "no data yet", "no control yet", "not promised")
_LONGEST = 60  # characters of a search


@dataclass(frozen=True, slots=True)
class Asked:
    """What the list is narrowed to; "" of each: everything."""

    state: str = ""
    section: str = ""
    programme: str = ""
    words: str = ""

    @property
    def narrowed(self) -> bool:
        return any((self.state, self.section, self.programme, self.words))

    @property
    def query(self) -> str:
        names = {"state": self.state, "section": self.section, "programme": self.programme, "q": self.words}
        return urlencode({name: value for name, value in names.items() if value})


@dataclass(frozen=True, slots=True)
class Line:
    """One claim. `sentence`: of the first programme that promises it, as its policy in force has it."""

    claim: Claim
    sentence: str
    state: str
    checked_at: datetime | None
    why: str


@dataclass(frozen=True, slots=True)
class Listed:
    """`lines` of a narrowed list; `states`: of every claim that is promised, for the tally."""

    lines: tuple[Line, ...]
    states: tuple[str, ...]
    programmes: tuple[Programme, ...]


def asked(given: Mapping[str, str]) -> Asked:
    """What nobody offers is as if it were not asked for."""
    state, section = given.get("state", ""), given.get("section", "")
    return Asked(
        state if state in STATES else "",
        section if section in sections() else "",
        given.get("programme", "")[:_LONGEST].replace("\0", ""),
        given.get("q", "").replace("\0", "").strip()[:_LONGEST],
    )


def sections() -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.section for each in claims()))


def listed(connection: Connection, what: Asked) -> Listed:
    """Raise Refused for a programme that there is not."""
    there = programmes(connection)
    wanted = chosen(there, what.programme or None)
    said = _sentences(connection, wanted)
    found = [_line(each, said) for each in stored(connection, (), what.programme or None)]
    promising = tuple(each.state for each in found if each.state != "not promised")
    return Listed(tuple(each for each in found if _fits(each, what)), promising, tuple(there))


def _sentences(connection: Connection, wanted: Iterable[Programme]) -> dict[str, str]:
    found: dict[str, str] = {}
    for programme in wanted:
        for each in promised.promised(connection, programme):
            found.setdefault(each.claim.id, each.sentence)
    return found


def _line(found: Standing, said: Mapping[str, str]) -> Line:
    claim = found.claim
    sentence = said.get(claim.id) or claim.shipped(claim.profiles[0])
    worst = next((part for part in found.parts if part.state == found.state), None)
    why = "" if found.state == "holds" or worst is None else next(iter(worst.evidence.get("why", ())), "")
    return Line(claim, sentence, str(found.state), found.checked_at, why)


def _fits(line: Line, what: Asked) -> bool:
    if what.state and line.state != what.state:
        return False
    if what.section and line.claim.section != what.section:
        return False
    return not what.words or what.words.lower() in f"{line.claim.id} {line.sentence} {line.claim.owner}".lower()
