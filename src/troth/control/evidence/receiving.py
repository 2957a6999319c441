"""Evidence, as a form brings it: what was typed, what is wrong with it, and the file, which never lies open
on a disk.
"""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.http import HttpRequest

from troth.control.evidence import listing
from troth.control.evidence.acts import Offered
from troth.control.evidence.scanning import MOST, Scanned, scan
from troth.control.evidence.unfit import Unfit
from troth.control.imports.receiving import Sealed, Sealing
from troth.keys import places
from troth.keys.keyring import TenantKeys
from troth.rules.evidence_kinds import BY_CLAIM, BY_CODE

LABELS = {"claim": "Claim", "kind": "What it is", "programme": "Programme", "title": "Title", "performed": "Done on",
          "until": "Good until", "file": "File", "public": "May be public"}  # fmt: skip
TITLE = 200
_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Given:
    """`offered` None where something is wrong: `faults` by field say what to do."""

    typed: dict[str, str]
    faults: dict[str, str]
    offered: Offered | None = None


def fresh(request: HttpRequest) -> dict[str, str]:
    """An empty form; the address may choose a claim and a kind."""
    typed = dict.fromkeys(LABELS, "")
    for name, known in (("claim", BY_CLAIM), ("kind", BY_CODE)):
        if (value := request.GET.get(name, "")) in known:
            typed[name] = value
    return typed


def given(request: HttpRequest, keys: TenantKeys, sealing: Sealing) -> Given:
    """What a form brought."""
    typed = {name: request.POST.get(name, "").replace("\0", "").strip()[: _LONGEST + 1] for name in LABELS}
    faults = _faults(typed)
    scanned, content = _file(keys, sealing.sealed, faults)
    if faults or scanned is None:
        if "file" not in faults:
            faults["file"] = "Choose the file again: a browser does not keep it."
        return Given(typed, faults)
    programme = UUID(typed["programme"]) if typed["programme"] else None
    until = date.fromisoformat(typed["until"]) if typed["until"] else None
    offered = Offered(programme, typed["claim"], typed["kind"], typed["title"], scanned.filename, scanned.media_type,
                      date.fromisoformat(typed["performed"]), typed["public"] == "on", content, until)  # fmt: skip
    return Given(typed, faults, offered)


def _faults(typed: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    wanted = BY_CLAIM.get(typed["claim"])
    if wanted is None:
        found["claim"] = "Choose the claim that this shows."
    if typed["kind"] not in BY_CODE:
        found["kind"] = "Choose what it is."
    elif wanted and typed["kind"] not in wanted.kinds:
        kinds = ", ".join(BY_CODE[each].name for each in wanted.kinds)
        found["kind"] = f"{wanted.claim} rests on other evidence: {kinds}."
    if typed["programme"] not in ("", *(str(each[0]) for each in listing.programmes())):
        found["programme"] = "Choose one of these."
    elif typed["programme"] and wanted and wanted.house:
        found["programme"] = f"{wanted.claim} is the whole installation’s: choose no single programme."
    if not typed["title"] or len(typed["title"]) > TITLE:
        found["title"] = f"Name it as it is to be shown, in at most {TITLE} characters."
    elif not typed["title"].isprintable():
        found["title"] = "The title has a character that nobody can see: type it again."
    return found | _days(typed)


def _days(typed: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, needed in (("performed", True), ("until", False)):
        if typed[name] or needed:
            try:
                date.fromisoformat(typed[name])
            except ValueError:
                found[name] = "Give a day, such as 2026-11-23."
    if not found and typed["until"] and typed["until"] <= typed["performed"]:
        found["until"] = "It ends before it was done: give a later day, or leave it empty."
    return found


def _file(keys: TenantKeys, sealed: Sealed | None, faults: dict[str, str]) -> tuple[Scanned | None, bytes]:
    if sealed is None or not sealed.octets:
        faults["file"] = "Choose a file."
        return None, b""
    if sealed.too_long:
        faults["file"] = f"The file has more than {MOST >> 20} MiB: hand in a smaller one, or its parts."
        return None, b""
    parts = enumerate(sealed.parts())
    content = b"".join(keys.open(part, places.import_part(sealed.id, n)) for n, part in parts)
    try:
        return scan(sealed.name, content), content
    except Unfit as unfit:
        faults["file"] = unfit.sentence
        return None, b""
