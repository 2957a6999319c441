"""Four eyes, kind `import`: rows of a file; bound to its digest, to the rows that were found good, to their counts."""

import re

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.control.audit.scope import within

_DIGEST = re.compile(r"[0-9a-f]{64}\Z")
_CHECKED = """
SELECT kind, encode(digest, 'hex'), encode(rows_digest, 'hex'), lines, good, bad, same, source, options
FROM troth.import WHERE id = %s AND tenant_id IS NOT DISTINCT FROM %s AND state = 2
"""


class Import(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`of`: the importer's kind; `sha256`: of the file as it came; `rows_sha256`: of the rows that were found good.
    `lines` = `rows` + `left_out` + `repeated`. `options`: what was chosen with it.
    """

    of: str
    file: str
    sha256: str
    rows_sha256: str
    source: str
    lines: int
    rows: int
    left_out: int
    repeated: int
    options: dict[str, str] = {}


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Import)
    if not (_DIGEST.match(given.sha256) and _DIGEST.match(given.rows_sha256)):
        return [Problem("sha256", "value", "This is a SHA-256 in lower-case hex.")]
    if given.rows <= 0:
        return [Problem("rows", "none", "No row of this file can be taken: correct it and import it again.")]
    with within(asked.connection, asked.tenant):
        found = asked.connection.execute(_CHECKED, (asked.subject, asked.tenant)).fetchone()
    if found is None:
        return [Problem("import", "gone", "This import is not checked, or is over: import the file again.")]
    said = (given.of, given.sha256, given.rows_sha256, given.lines, given.rows, given.left_out, given.repeated,
            given.source, given.options)  # fmt: skip
    if said != (*found[:8], msgspec.json.decode(found[8])):
        return [Problem("import", "differs", "This is not what was checked: propose the import from its own page.")]
    return []
