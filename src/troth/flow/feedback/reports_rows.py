"""Feedback: a report of others as the rows that are kept of it: few, short, and without what no database takes."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from troth.mail.dmarc import AggregateReport, DkimResult, Record
from troth.mail.tlsrpt import TlsPolicy, TlsReport
from troth.store.reports import Told

ROWS, FAILURES = 500, 200
_MOST = 10**15  # messages or sessions of one row: their sums stay within 64 bits
_controls_re = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
_local_re = re.compile(r"[^\s@<>()\[\],;:]*@")
_name_re = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)+\Z")
_Row = dict[str, Any]


def clean(text: str, most: int) -> str:
    """Without controls and what turns a line round; of an address its domain alone, since anybody's may stand there."""
    return _local_re.sub("", own(text, most))


def own(text: str, most: int) -> str:
    """What the report's sender says of itself: its contact, its id; without controls and what turns a line round."""
    return _controls_re.sub(" ", text).strip()[:most]


def domain(text: str) -> str:
    """A name as DNS has it, an A-label each, lower case; empty for what is none."""
    name = text.strip().rstrip(".").lower()
    if not name.isascii():
        try:
            name = name.encode("idna").decode()
        except UnicodeError:
            return ""
    return name if len(name) <= 253 and _name_re.match(name) else ""  # RFC 1035 2.3.4, without the root


def about(report: AggregateReport | TlsReport) -> tuple[str, ...]:
    """The domains that it is about; of a TLS report each policy's, once."""
    if isinstance(report, AggregateReport):
        return (domain(report.policy.domain),)
    return tuple(dict.fromkeys(domain(each.policy_domain) for each in report.policies)) or ("",)


def told(id_: UUID, report: AggregateReport | TlsReport, name: str, reporter: str, digest: bytes, house: str) -> Told:
    """The same organisation, report id and domain make it the same report, of whoever signed it."""
    org = clean(report.org_name if isinstance(report, AggregateReport) else report.organization_name, 200) or "?"
    said = f"{org.lower()}\0{report.report_id}\0{name}\0{reporter}"
    if not report.report_id:
        said += digest.hex()
    key = hashlib.sha256(said.encode("utf-8", "replace")).digest()
    return Told(id_, key, name, org, own(report.report_id, 300), reporter, report.begin, report.end, digest, house)


def head(report: AggregateReport) -> _Row:
    policy = report.policy
    found = {
        name: clean(getattr(policy, name), 60) for name in ("p", "sp", "np", "adkim", "aspf", "pct", "fo", "testing")
    }
    return {
        "policy": {name: value for name, value in found.items() if value},
        "email": own(report.email, 200), "contact": own(report.extra_contact_info, 200),
        "generator": clean(report.generator, 200), "namespace": clean(report.namespace, 100),
        "errors": [clean(each, 200) for each in report.errors[:5]], "recovered": report.recovered,
        "skipped": report.skipped,
    }  # fmt: skip


def records(report: AggregateReport) -> tuple[list[_Row], int]:
    """Those that agree in all but their number as one, the largest first; and how many records are in none."""
    numbers: Counter[tuple[Any, ...]] = Counter()
    size: Counter[tuple[Any, ...]] = Counter()
    for record in report.records:
        row = _record(record)
        numbers[row] += min(record.count, _MOST)
        size[row] += 1
    kept = numbers.most_common(ROWS)
    left = report.skipped + report.cut + len(report.records) - sum(size[row] for row, _ in kept)
    return [
        {**dict(zip(_COLUMNS, row, strict=True)), "n": n, "messages": min(messages, _MOST)}
        for n, (row, messages) in enumerate(kept, 1)
    ], left


_COLUMNS = (
    "source_ip", "disposition", "dkim", "spf", "header_from", "envelope_from", "dkim_domain", "dkim_selector",
    "spf_domain", "reason",
)  # fmt: skip


def _record(record: Record) -> tuple[Any, ...]:
    result = _best(record.dkim_results)
    spf = record.spf_results[0].domain if record.spf_results else ""
    reason = ", ".join(dict.fromkeys(each.type for each in record.reasons if each.type))
    return (
        record.source_ip, clean(record.disposition, 20), record.dkim == "pass", record.spf == "pass",
        domain(record.header_from), domain(record.envelope_from),
        domain(result.domain) if result else "", clean(result.selector, 100) if result else "", domain(spf),
        clean(reason, 100),
    )  # fmt: skip


def _best(results: tuple[DkimResult, ...]) -> DkimResult | None:
    """The one that passed, else the first."""
    return next((each for each in results if each.result == "pass"), results[0] if results else None)


def of_domain(report: TlsReport, name: str) -> tuple[TlsPolicy, ...]:
    return tuple(each for each in report.policies if domain(each.policy_domain) == name)


def policies(found: Iterable[TlsPolicy], left: int = 0) -> list[_Row]:
    """`left`: domains of the same report that are not kept, told in the first one's words."""
    rows: list[_Row] = [
        {
            "type": clean(each.policy_type, 40), "mx": [clean(m, 255) for m in each.mx_host[:5]],
            "text": [clean(line, 200) for line in each.policy_string[:8]],
            "good": min(each.total_successful_session_count, _MOST),
            "failed": min(each.total_failure_session_count, _MOST),
        }
        for each in list(found)[:5]
    ]  # fmt: skip
    if left > 0 and rows:
        rows[0]["text"].append(f"The report is about {left} domains more, of which nothing is kept.")
    return rows


def sessions(found: Iterable[TlsPolicy]) -> tuple[int, int]:
    """Good ones, failed ones."""
    given = tuple(found)
    good = sum(each.total_successful_session_count for each in given)
    return min(good, _MOST), min(sum(each.total_failure_session_count for each in given), _MOST)


def failures(found: Iterable[TlsPolicy]) -> list[_Row]:
    rows: Counter[tuple[str, ...]] = Counter()
    for policy in found:
        for each in policy.failure_details:
            row = (
                clean(policy.policy_type, 40), clean(each.result_type, 60), clean(each.receiving_mx_hostname, 255),
                clean(each.sending_mta_ip, 60), clean(each.failure_reason_code, 200),
            )  # fmt: skip
            rows[row] += min(each.failed_session_count, _MOST)
    names = ("policy", "result", "mx", "sending_ip", "reason")
    return [
        {**dict(zip(names, row, strict=True)), "n": n, "sessions": min(count, _MOST)}
        for n, (row, count) in enumerate(rows.most_common(FAILURES), 1)
    ]
