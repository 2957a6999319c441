"""Reports of others, reviewed: what is due when, what there is to look at, and a person's signature under it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import Http404

from troth.control.audit.asking import row, rows
from troth.control.audit.refusals import refusals
from troth.control.incidents import reviews
from troth.control.incidents.reading import name
from troth.control.incidents.reviews import Signed, Standing, Verdict
from troth.control.people.actor import Actor
from troth.control.reports import words

_DUE = "SELECT d.*, p.name FROM troth.dmarc_reviews_due_v1() AS d JOIN troth.programme p ON p.id = d.programme_id"
_OPEN = "SELECT * FROM troth.dmarc_review_open_v1(%s, %s, %s)"
_SIGN = """
SELECT troth.dmarc_review_v1(%s, %s, %s, %s, %s, %s, %s::text[], %s::text[], %s::uuid[], %s::bytea[], %s::text[],
                             %s::timestamptz[], %s)
"""
_LIST = "SELECT * FROM troth.dmarc_reviews_v1(%s, %s)"
_SEEN = "SELECT * FROM troth.dmarc_review_seen_v1(%s)"


@dataclass(frozen=True, slots=True)
class Open:
    """What is to be signed: the database's own document of figures and findings, and its SHA-256."""

    begin: datetime
    until: datetime
    domains: list[dict[str, Any]]
    findings: list[dict[str, Any]]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Seen:
    """A signed review: what was shown, what was said of each finding (`verdict`, `note`, `case`, `reference`)."""

    code: str
    begin: datetime
    until: datetime
    at: datetime
    who: str
    words: str
    domains: list[dict[str, Any]]
    findings: list[tuple[dict[str, Any], dict[str, Any]]]
    digest: bytes


def standings(scope: UUID | None) -> list[Standing]:
    """Of every programme, for whoever looks at no client."""
    return reviews.standings(rows(_DUE), lambda policy: policy.cases.dmarc_review, scope)


def access_standing(actor: Actor, programme: UUID) -> Standing:
    return reviews.access_standing(standings(actor.scope), programme)


def open_review(actor: Actor, programme: UUID, until: datetime | None = None) -> Open | None:
    """Up to `until`, else now; None where nothing came yet. Raise Refused."""
    with refusals(), transaction.atomic():
        found = row(_OPEN, programme, until, actor.secret)
    if found is None:
        return None
    begin, until, shown, digest = found
    document = reviews.plain(shown)
    return Open(begin, until, document["domains"], [words.finding(f) for f in document["findings"]], bytes(digest))


def sign(actor: Actor, programme: UUID, found: Open, said: str, verdicts: list[Verdict]) -> UUID:
    """Its id. Raise Refused."""
    return reviews.sign(
        _SIGN, actor, programme, found.begin, found.until, found.digest, said, verdicts,
        cause="dmarc-finding", told="From the review of DMARC reports.",
    )  # fmt: skip


def signed(programme: UUID | None = None, most: int = 50) -> list[Signed]:
    return reviews.signed(rows(_LIST, programme, most))


def access_review(review: UUID) -> Seen:
    found = row(_SEEN, review)
    if found is None:
        raise Http404
    code, begin, until, at, account, name_ct, said, shown, digest, verdicts = found
    document = reviews.plain(shown)
    findings = [words.finding(f) for f in document["findings"]]
    pairs = list(zip(findings, reviews.plain(verdicts), strict=True))
    return Seen(code, begin, until, at, name(account, name_ct), said, document["domains"], pairs, bytes(digest))
