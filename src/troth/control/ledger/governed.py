"""Evidence against what was approved: each version that the gate reads is the one that the ledger says two people
approved.
"""

from collections.abc import Mapping
from typing import Any

from troth.control.ledger.rows import Connection
from troth.ledger.verify import Found

APPROVED = "governance:change:approve"

_VERSIONS = """
SELECT id, kind, tenant_id, subject, code, change_id, approver_human, digest, sha256(convert_to(artefact, 'UTF8'))
FROM snapshot WHERE id > %s ORDER BY id LIMIT 500
"""
_FIRST = "00000000-0000-0000-0000-000000000000"
_SAID = ("of", "tenant", "subject", "code", "change", "by", "digest")


class Approvals:
    """The versions as they are now; then what the ledger says was approved, by change, which is read after them: a
    version that is approved meanwhile is not judged, and none is without its entry.
    """

    def __init__(self, connection: Connection) -> None:
        self._said: dict[str, tuple[str | int | None, ...]] = {}
        self._versions: list[tuple[Any, ...]] = []
        after = _FIRST
        while found := connection.execute(_VERSIONS, (after,)).fetchall():
            self._versions += found
            after = str(found[-1][0])

    def told(self, fields: Mapping[str, str | int]) -> None:
        """One entry of the ledger or of the line."""
        if fields["kind"] == APPROVED:
            self._said[str(fields.get("change"))] = tuple(fields.get(name) for name in _SAID)

    def check(self) -> int:
        """Every version has its entry and is what that says; how many there are."""
        for row in self._versions:
            self._version(*row)
        return len(self._versions)

    def _version(self, row: object, *columns: Any) -> None:
        *names, digest, made = columns
        kind, tenant, subject, code, change, by = names
        what = f"the approved version {row} ({kind} {code})"
        if str(change) not in self._said:
            raise Found(f"{what} has no entry in the ledger that says so")
        kept = (kind, str(tenant or ""), str(subject), code, str(change), str(by), bytes(digest or b"").hex())
        for name, own, said in zip(_SAID, kept, self._said[str(change)], strict=True):
            if own != said:
                raise Found(f"{what} is not what the ledger says was approved: its {name} differs")
        if made != digest:
            raise Found(f"{what} is not what the ledger says was approved: its artefact differs")
