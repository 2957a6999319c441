"""Four eyes, the picture of an import: which file, where it is from, how many rows, and what was left out; the rows
themselves are on the import's own page, for who may see it.
"""

from collections.abc import Callable, Mapping
from uuid import UUID

from troth.control.approvals.pictures.picture import Picture, Row
from troth.control.approvals.reading import Seen
from troth.control.audit.asking import row
from troth.control.audit.scope import Connection
from troth.control.people.actor import Actor, raw
from troth.control.people.permissions import allowed

_COUNTS = (("lines", "Lines of the file"), ("rows", "Rows that are taken"), ("left_out", "Lines left out"),
           ("repeated", "Lines that repeat another"))  # fmt: skip

# by kind: a client's options of an import in the words of its form; the rooms that import put theirs here (apps.py)
SAID: dict[str, Callable[[Connection, UUID | None, Mapping[str, str]], list[tuple[str, str]]]] = {}


def picture(actor: Actor, seen: Seen) -> Picture:
    found = seen.artefact
    left = int(found["left_out"])
    n = int(found["rows"])
    rows = "1 row" if n == 1 else f"{n:,} rows"
    said = f"{rows} of “{found['file']}” {'is' if n == 1 else 'are'} imported ({found['of']})."
    if left:
        lines = "1 line of it is not, and has its" if left == 1 else f"{left:,} lines of it are not: each has its"
        said += f" {lines} reason on the import’s page."
    known = row("SELECT notes, doubted FROM troth.import WHERE id = %s", seen.subject)
    if known and known[1]:
        said += f" Taken with a doubt: {known[1]:,}, each with its line on the import’s page."
    return Picture(
        said,
        known[0][0]
        if known and known[0]
        else "They are carried out in the background, from the moment of the approval.",
        rows=tuple(_rows(found, seen.tenant)),
        note="What is approved is exactly these rows: the file’s and the rows’ digests are part of the change.",
        href=f"/imports/{seen.subject}" if allowed(actor, "import:read") else "",
        act="See the import",
    )


def _rows(found: Mapping[str, object], tenant: UUID | None) -> list[Row]:
    counts = [(label, "", f"{int(str(found[name])):,}", "") for name, label in _COUNTS]
    options = found.get("options")
    named = options if isinstance(options, dict) else {}  # an empty one is what the sentence above says
    words = SAID[str(found["of"])](raw(), tenant, named)
    chosen = [(label, "", value, "") for label, value in words if value]
    source = ("Where it comes from", "", str(found["source"]), "as its proposer says")
    return [source, *counts, *chosen, ("SHA-256 of the file", "", str(found["sha256"]), "")]
