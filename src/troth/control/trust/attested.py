"""Claims: what the controls of attested claims share: which evidence a claim rests on, and whether it still counts.

A kind without a piece that counts fails once one has been accepted before, or once the first was due; till then there
is no data yet, and the day by which there must be some.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from troth.control.evidence import reading, told
from troth.control.evidence.reading import Damaged, Piece
from troth.control.trust import catalogue, fences, governance
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, NOTHING
from troth.rules.evidence_kinds import BY_CLAIM, BY_CODE, Kind

_FUNCTIONS = (
    "evidence_submit_v1", "evidence_accept_v1", "evidence_withdraw_v1", "evidence_digest", "evidence_time",
    "evidence_entry", "evidence_days_v1", "evidence_told_v1", "evidence_attempt_v1", "evidence_guard", "insert_only",
    "acts", "acting", "allowed", "session_open_now", "ledger_entry", "leaf_json",
)  # fmt: skip
_ATTEMPTS = ("edit", "delete", "again", "forged")
_ATTEMPT = "SELECT evidence_attempt_v1(%s)"
_RIGHTS = ("evidence:submit", "evidence:accept", "evidence:withdraw")
_ONE = "SELECT file_ct FROM evidence WHERE id = %s"
_DAYS = "SELECT evidence_days_v1(%s, %s)"
_BEGAN = "SELECT created_at FROM programme WHERE id = %s"
_FIRST = "SELECT created_at FROM installation"


def rests(look: Look, programme: Programme | None, claim: str) -> Found:
    """Every kind that the claim rests on has a piece that counts, and all of them are as they were accepted."""
    findings = Findings()
    _stands(findings, look)
    findings.take(_untrue(look, claim))
    for kind in _wanted(look, programme, claim):
        _kind(findings, look, programme, claim, BY_CODE[kind])
    return findings.done()


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "evidence"))
    findings.take(fences.functions(schema, *_FUNCTIONS))
    findings.take(fences.checks(schema, "evidence", "accepted_human <> submitted_human", "get_byte(file_ct, 0) = 1"))
    findings.take(governance.rights(look, *_RIGHTS))
    for how in _ATTEMPTS:
        answer = look.attempt(how, query=_ATTEMPT)
        findings.need(answer in (DENIED, NOTHING), f"the attempt {how} on accepted evidence met {answer}, not {DENIED}")


def _untrue(look: Look, claim: str) -> Iterator[str]:
    """Rows against the ledger; what nobody can say of which claim it is is every claim's."""

    def compare() -> list[tuple[set[str], str]]:
        with look.of(None) as connection:
            comparison = told.Told(connection)
            for kind, leaf in connection.execute(told.TOLD).fetchall():
                comparison.entry(kind, leaf)
            return [(comparison.claims(piece), wrong) for piece, wrong in comparison.wrong(connection)]

    for claims, wrong in look.once("evidence told", compare):
        if claim in claims or not claims:
            yield wrong


def _wanted(look: Look, programme: Programme | None, claim: str) -> tuple[str, ...]:
    said = catalogue.claim(claim)
    programmes = [programme] if programme else look.programmes
    profiles = [each.profile for each in programmes if said and said.promised_by(each.profile)]
    return BY_CLAIM[claim].of(profiles)


def _kind(findings: Findings, look: Look, programme: Programme | None, claim: str, kind: Kind) -> None:
    own = programme.id if programme else None
    with look.of(None) as connection:
        pieces = [each for each in reading.current(connection, own, claim) if each.kind == kind.code]
        before = [each for each in reading.of_kind(connection, own, kind.code) if each.claim == claim]
    counting = [each for each in pieces if each.public or not kind.publishes]
    if counting:
        findings.seen[kind.code.replace("-", "_")] = _seen(counting[0])
        findings.take(wrong for each in counting for wrong in _piece(look, each))
    elif before:
        findings.wrong.append(_over(kind, before[0], hidden=bool(pieces)))
    else:
        _none(findings, look, programme, kind)


def _seen(piece: Piece) -> dict[str, Any]:
    return {
        "piece": str(piece.id),
        "sha256": piece.sha256,
        "performed": str(piece.performed_on),
        "until": str(piece.valid_until),
    }


def _piece(look: Look, piece: Piece) -> Iterator[str]:
    if piece.accepted_human == piece.submitted_human:
        yield f"the evidence {piece.id} was accepted by the person who brought it"
    with look.of(None) as connection:
        row = connection.execute(_ONE, (piece.id,)).fetchone()
    try:
        reading.opened(look.operator, piece, bytes(row[0]) if row else b"")
    except Damaged as trouble:
        yield str(trouble)


def _over(kind: Kind, last: Piece, *, hidden: bool) -> str:
    if hidden:
        return f"{kind.name}: what is kept of it is not public, and its publication is promised"
    ended = "it was withdrawn" if last.withdrawn_at else f"it was good until {last.valid_until}"
    return f"{kind.name}: the last is of {last.performed_on}, {ended}, and no newer one has been accepted"


def _none(findings: Findings, look: Look, programme: Programme | None, kind: Kind) -> None:
    due = _begun(look, programme).date() + timedelta(days=_days(look, programme, kind))
    today: date = look.now.date()
    if due < today:
        findings.wrong.append(f"{kind.name}: none has been accepted, and the first was due on {due}")
    else:
        findings.missing.append(f"{kind.name}: none has been accepted yet; the first is due by {due}")


def _begun(look: Look, programme: Programme | None) -> datetime:
    with look.of(None) as connection:
        row = connection.execute(_BEGAN, (programme.id,)).fetchone() if programme else None
        row = row or connection.execute(_FIRST).fetchone()
    assert row is not None
    begun: datetime = row[0]
    return begun


def _days(look: Look, programme: Programme | None, kind: Kind) -> int:
    with look.of(None) as connection:
        row = connection.execute(_DAYS, (programme.id if programme else None, kind.code)).fetchone()
    return int(row[0]) if row else 0
