"""Recipients from a file: the consent that a row says was given, held to what the door holds a registration to
(rules/consent_given.py).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from troth.control.imports.importer import Column, Ground, Unfit, Unreadable
from troth.rules import consent_given
from troth.rules.consent_given import MONTHS, Claimed, NotConsent

_BASES = ", ".join(MONTHS)
COLUMNS = (
    Column("consent", ("consent kind", "consent type"), hint="express or implied. Empty: none is recorded."),
    Column("consent_given_at", ("given at", "consent date", "consented at"),
           hint="When, with its offset from UTC: 2026-01-05T10:00:00+01:00. Needed where there is consent."),
    Column("consent_wording", ("wording",), hint="What they read. Needed where there is consent."),
    Column("consent_how", ("how",), hint="How they answered: a box ticked, an order. Needed where there is consent."),
    Column("consent_source", ("consent ip", "source address"), hint="From where they answered, such as 192.0.2.9."),
    Column("consent_basis", ("basis",), hint=f"Of implied consent: {_BASES}."),
    Column("consent_category", ("category", "categories"),
           hint="Which categories it is for, by code or name, “;” between several. Empty: all of them."),
    Column("consent_expires_at", ("expires at", "consent expiry"),
           hint="When it ends, with its offset. Implied consent ends by law at the latest, also where this is empty."),
)  # fmt: skip
_FIELD = {"kind": "consent"}  # a field of the rules -> its column; the others have `consent_` before them
_CODE = re.compile(r"`([a-z_]+)`")
_MOST_SOURCE = 200  # characters
_CATEGORIES = """
SELECT g.subject, g.code, coalesce(s.artefact::jsonb ->> 'name', g.code)
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'category' AND g.tenant_id = %s AND NOT g.retired ORDER BY g.code
"""


class Consents:
    """One file's: where its columns stand, the client's categories, and the moment that nothing was given after."""

    def __init__(self, ground: Ground, at: Mapping[str, int]) -> None:
        self._at = {name: place for name, place in at.items() if name.startswith("consent")}
        if self._at and "consent" not in self._at:
            raise Unreadable(
                "There are columns about consent, and none that says which: add “consent”, express or implied."
            )
        self._now = _now(ground)
        self._subjects = _categories(ground) if self._at else {}

    def read(self, cells: Sequence[str]) -> dict[str, str]:
        """A row's consent by its columns' names, and `categories`: their ids. Unfit where it is none."""
        said = {name: cells[place] for name, place in self._at.items() if cells[place]}
        if not said:
            return {}
        if "consent" not in said:
            raise Unfit("consent", "The line says something of consent, and not which: express or implied.")
        if "consent_given_at" not in said:
            raise Unfit("consent_given_at", "Say when consent was given, with its offset: 2026-01-05T10:00:00+01:00.")
        if len(said.get("consent_source", "")) > _MOST_SOURCE:
            raise Unfit("consent_source", f"At most {_MOST_SOURCE} characters of the source.")
        try:
            given = consent_given.read(_claimed(said), self._now)
        except NotConsent as wrong:
            column = _FIELD.get(wrong.field, f"consent_{wrong.field}")
            sentence = wrong.sentence.replace(f"`{wrong.field}`", f"“{column}”")
            raise Unfit(column, _CODE.sub(r"“consent_\1”", sentence)) from None
        until = {"consent_expires_at": given.until.isoformat()} if given.until else {}
        return (
            said
            | {"consent": said["consent"].lower(), "consent_given_at": given.at.isoformat()}
            | until
            | self._of(said)
        )

    def _of(self, said: Mapping[str, str]) -> dict[str, str]:
        names = [each.strip() for each in said.get("consent_category", "").split(";") if each.strip()]
        if not names:
            return {}
        found = {self._subjects.get(each.casefold(), "") for each in names}
        if "" in found:
            raise Unfit("consent_category", "This client has no such category, or two of that name: use its code.")
        return {"categories": " ".join(sorted(found))}


def _claimed(said: Mapping[str, str]) -> Claimed:
    times = said["consent_given_at"], said.get("consent_expires_at")
    what = said["consent"].lower(), said.get("consent_wording", ""), said.get("consent_how", "")
    return Claimed(*what, said.get("consent_basis", "").lower(), *times)


def _now(ground: Ground) -> datetime:
    row = ground.connection.execute("SELECT troth.now_v1()").fetchone()
    assert row is not None
    now: datetime = row[0]
    return now


def _categories(ground: Ground) -> dict[str, str]:
    """By code, and by a name that only one of them has."""
    rows = ground.connection.execute(_CATEGORIES, (ground.tenant,)).fetchall()
    names = [name.casefold() for *_, name in rows]
    found = {name.casefold(): str(subject) for subject, _, name in rows if names.count(name.casefold()) == 1}
    return found | {code.casefold(): str(subject) for subject, code, _ in rows}
