"""Reports of others, read for people: of the client that is looked at, of all clients where none is."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.audit.asking import row, rows

DAYS, WEEK = 28, timedelta(days=7)
DOMAINS, SOURCES, PAGE = 100, 100, 50
FILE = 20_000  # records of a file
_NOW = "SELECT troth.now_v1()"
_DAYS = "SELECT * FROM troth.dmarc_days_v1(%s)"
_DOMAINS = "SELECT * FROM troth.dmarc_domains_v1(%s, %s)"
_SOURCES = "SELECT * FROM troth.dmarc_sources_v1(%s, %s, %s, %s, %s)"
_SOURCE = "SELECT * FROM troth.dmarc_source_v1(%s, %s, %s)"
_REPORTS = "SELECT * FROM troth.reports_v1(%s, %s, %s, %s, %s)"
_REPORT = "SELECT * FROM troth.dmarc_report_v1(%s)"
_RECORDS = "SELECT * FROM troth.dmarc_records_v1(%s, %s, %s, %s, %s)"
_TLS = "SELECT * FROM troth.tls_totals_v1(%s, %s)"
_FAILURES = "SELECT * FROM troth.tls_failures_v1(%s, %s, %s)"
_TLS_REPORT = "SELECT * FROM troth.tls_report_v1(%s)"


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    messages: int
    passed: int

    @property
    def failed(self) -> int:
        return self.messages - self.passed


@dataclass(frozen=True, slots=True)
class Domain:
    """`last_at` None: no report about it came."""

    name: str
    client: str | None
    messages: int
    passed: int
    reports: int
    last_at: datetime | None

    @property
    def share(self) -> float | None:
        return self.passed / self.messages if self.messages else None


@dataclass(frozen=True, slots=True)
class Source:
    """One address that sent in the name of these domains. `ours`: messages that passed with a key of ours."""

    ip: str
    messages: int
    passed: int
    dkim: int
    spf: int
    ours: int
    refused: int
    fresh: bool
    spf_domain: str
    dkim_domain: str
    first: date
    last: date
    reports: int

    @property
    def share(self) -> float:
        return self.passed / self.messages if self.messages else 1.0

    @property
    def whose(self) -> str:
        """In a word: ours, forwarded (our signature came through, the address is not in SPF), yours, other."""
        if self.ours:
            return "ours" if self.spf else "forwarded"
        return "other" if not self.passed else "known"


@dataclass(frozen=True, slots=True)
class Part:
    """What agrees in all but its number, of one source."""

    domain: str
    client: str | None
    dkim: bool
    spf: bool
    disposition: str
    reason: str
    dkim_domain: str
    dkim_selector: str
    spf_domain: str
    envelope_from: str
    messages: int
    ours: bool
    first: date
    last: date
    report: UUID
    org: str


@dataclass(frozen=True, slots=True)
class Line:
    """A report in a list. `reporter` "": nobody signed it; `good`: messages that passed, sessions that succeeded."""

    id: UUID
    domain: str
    client: str | None
    org: str
    reporter: str
    begin: datetime
    end: datetime
    arrived: datetime
    messages: int
    good: int

    @property
    def failed(self) -> int:
        return self.messages - self.good


@dataclass(frozen=True, slots=True)
class Report:
    domain: str
    client: str | None
    org: str
    report_id: str
    reporter: str
    begin: datetime
    end: datetime
    arrived: datetime
    messages: int
    passed: int
    records: int
    left_out: int
    head: dict[str, Any]
    digest: bytes


@dataclass(frozen=True, slots=True)
class Record:
    report: UUID
    n: int
    domain: str
    day: date
    signed: bool
    ip: str
    messages: int
    disposition: str
    dkim: bool
    spf: bool
    ours: bool
    header_from: str
    envelope_from: str
    dkim_domain: str
    dkim_selector: str
    spf_domain: str
    reason: str
    org: str


@dataclass(frozen=True, slots=True)
class Sessions:
    """What one organisation told of TLS to one domain."""

    domain: str
    client: str | None
    org: str
    policies: str | None
    good: int
    failed: int
    reports: int
    last_at: datetime
    last: UUID


@dataclass(frozen=True, slots=True)
class Failure:
    domain: str
    result: str
    policy: str
    mx: str
    sending_ip: str
    reason: str
    sessions: int
    reports: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class TlsReport:
    domain: str
    client: str | None
    org: str
    report_id: str
    reporter: str
    begin: datetime
    end: datetime
    arrived: datetime
    good: int
    failed: int
    policies: list[dict[str, Any]]
    digest: bytes


def now() -> datetime:
    found = row(_NOW)
    assert found is not None
    at: datetime = found[0]
    return at


def since(at: datetime, days: int = DAYS) -> date:
    return (at.astimezone(UTC) - timedelta(days=days)).date()


def days(at: datetime) -> list[Day]:
    """Each day of the four weeks to yesterday, those of which nothing was told too; today's reports come tomorrow."""
    first = since(at)
    told = {each[0]: Day(*each) for each in rows(_DAYS, first)}
    every = (first + timedelta(days=n) for n in range(DAYS))
    return [told.get(day, Day(day, 0, 0)) for day in every]


def domains(at: datetime) -> list[Domain]:
    return [Domain(*each) for each in rows(_DOMAINS, since(at), DOMAINS)]


def sources(at: datetime, domain: str, *, signed: bool, most: int = SOURCES) -> list[Source]:
    """The worst first, and one more than `most` where there are more."""
    found = rows(_SOURCES, since(at), at - WEEK, domain or None, signed, most + 1)
    return [Source(str(ip), *rest) for ip, *rest in found]


def source(at: datetime, ip: str) -> list[Part]:
    """Raise Http404 for an address of which nobody told anything here."""
    found = [Part(*each) for each in rows(_SOURCE, ip, since(at, 90), 200)]
    if not found:
        raise Http404
    return found


def reports(kind: str, domain: str, before: tuple[datetime, UUID] | None) -> list[Line]:
    """The newest, PAGE and one more."""
    at, id_ = before or (None, None)
    return [Line(*each) for each in rows(_REPORTS, kind, domain or None, at, id_, PAGE + 1)]


def access_report(report: UUID) -> Report:
    found = row(_REPORT, report)
    if found is None:
        raise Http404
    fields: list[Any] = [*found[:-2], _plain(found[-2]), bytes(found[-1])]
    return Report(*fields)


def records(report: UUID) -> list[Record]:
    return [_record(each) for each in rows(_RECORDS, report, None, None, None, 500)]


def every_record(since_: datetime) -> Iterator[Record]:
    """Of all reports that came since, in pages, FILE at most."""
    after: tuple[UUID | None, int | None] = (None, None)
    for _ in range(FILE // 1_000):
        page = [_record(each) for each in rows(_RECORDS, None, since_, *after, 1_000)]
        yield from page
        if len(page) < 1_000:  # the page's size, as above
            return
        after = (page[-1].report, page[-1].n)


def _record(found: tuple[Any, ...]) -> Record:
    report, n, domain, day, signed, ip, *rest = found
    return Record(report, n, domain, day, signed, str(ip), *rest)


def tls(at: datetime) -> list[Sessions]:
    return [Sessions(*each) for each in rows(_TLS, since(at), PAGE * 2)]


def failures(at: datetime, report: UUID | None = None) -> list[Failure]:
    first = date(1970, 1, 1) if report else since(at)
    return [Failure(*each) for each in rows(_FAILURES, first, report, PAGE * 2)]


def access_tls(report: UUID) -> TlsReport:
    found = row(_TLS_REPORT, report)
    if found is None:
        raise Http404
    fields: list[Any] = [*found[:-2], _plain(found[-2]), bytes(found[-1])]
    return TlsReport(*fields)


def _plain(found: Any) -> Any:
    """Django leaves jsonb as text in a raw query."""
    return json.loads(found) if isinstance(found, str) else found
