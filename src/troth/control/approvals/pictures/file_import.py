"""Four eyes, the picture of an import: which file, where it is from, how many rows, and what was left out; the rows
themselves are on the import's own page, for who may see it.
"""

from troth.control.approvals.pictures.picture import Picture, Row
from troth.control.approvals.reading import Seen
from troth.control.audit.asking import row
from troth.control.people.actor import Actor
from troth.control.people.permissions import allowed

_COUNTS = (("lines", "Lines of the file"), ("rows", "Rows that are taken"), ("left_out", "Lines left out"),
           ("repeated", "Lines that repeat another"))  # fmt: skip


def picture(actor: Actor, seen: Seen) -> Picture:
    found = seen.artefact
    left = int(found["left_out"])
    said = f"{int(found['rows']):,} rows of “{found['file']}” are imported ({found['of']})."
    if left:
        said += f" {left:,} lines of it are not: each has its reason on the import’s page."
    known = row("SELECT notes, doubted FROM troth.import WHERE id = %s", seen.subject)
    if known and known[1]:
        said += f" Taken with a doubt: {known[1]:,}, each with its line on the import’s page."
    return Picture(
        said,
        known[0][0]
        if known and known[0]
        else "They are carried out in the background, from the moment of the approval.",
        rows=tuple(_rows(found)),
        note="What is approved is exactly these rows: the file’s and the rows’ digests are part of the change.",
        href=f"/imports/{seen.subject}" if allowed(actor, "import:read") else "",
        act="See the import",
    )


def _rows(found: dict[str, object]) -> list[Row]:
    counts = [(label, "", f"{int(str(found[name])):,}", "") for name, label in _COUNTS]
    options = found.get("options")
    named = options.items() if isinstance(options, dict) else ()  # an empty one is what the sentence above says
    chosen = [(name.replace("_", " ").capitalize(), "", str(value), "") for name, value in named
              if value and name != "encoding"]  # fmt: skip
    source = ("Where it comes from", "", str(found["source"]), "as its proposer says")
    return [source, *counts, *chosen, ("SHA-256 of the file", "", str(found["sha256"]), "")]
