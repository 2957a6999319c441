"""Feedback: a report of others about our mail, from any octets: read by ourselves, and broken XML by a child process.

Total: reports, or Unreadable with one of mail.dmarc_words' closed words. `describe` says the same as plain data.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from troth.mail import dmarc, dmarc_recovered, dmarc_xml, tlsrpt
from troth.mail.dmarc import AggregateReport
from troth.mail.dmarc_letter import JSON, Document, documents
from troth.mail.dmarc_words import Unreadable
from troth.mail.tlsrpt import TlsReport
from troth.outside.report_child import recover

DMARC, TLS = "dmarc-aggregate", "tls-rpt"
Report = AggregateReport | TlsReport
Recover = Callable[[str], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Read:
    """digest: SHA-256 of the report's own octets, whatever they were packed in."""

    report: Report
    digest: bytes


def read(octets: bytes, recovering: Recover = recover) -> tuple[Read, ...]:
    """At least one; Unreadable if none could be read. `recovering` is asked for broken XML."""
    return read_documents(documents(octets), recovering)


def read_documents(found: tuple[Document, ...], recovering: Recover = recover) -> tuple[Read, ...]:
    read_, fault = [], Unreadable("not-a-report", "There is no report in it.")
    for document in found:
        try:
            read_.append(Read(_one(document, recovering), hashlib.sha256(document.octets).digest()))
        except Unreadable as each:
            fault = each
    if not read_:
        raise fault
    return tuple(read_)


def _one(document: Document, recovering: Recover) -> Report:
    if document.kind == JSON:
        return tlsrpt.read(document.octets)
    try:
        return dmarc.read(document.octets)
    except Unreadable as fault:
        found = _recovered(document, recovering) if fault.word == "xml" else None
        if found is None:
            raise
        return found


def _recovered(document: Document, recovering: Recover) -> AggregateReport | None:
    """Only what looks like a report is worth a process."""
    text = dmarc_xml.text_of(document.octets)
    if "<feedback" not in text and ":feedback" not in text:
        return None
    found = recovering(text)
    return None if found is None else dmarc_recovered.report_of(found)


def describe(octets: bytes, name: str) -> dict[str, Any]:
    """For `troth inspect report`: JSON-able; further reports of the same file are in `others`."""
    try:
        found = read(octets)
    except Unreadable as fault:
        return {"file": name, "ok": False, "kind": None, "error": fault.word, "sentence": str(fault)}
    first, *others = [_told(each) for each in found]
    return {"file": name, "ok": True, **first, "error": None, **({"others": others} if others else {})}


def _told(read_: Read) -> dict[str, Any]:
    report, digest = read_.report, {"sha256": read_.digest.hex()}
    told = _dmarc(report) if isinstance(report, AggregateReport) else _tls(report)
    return {**told, "begin": _time(report.begin), "end": _time(report.end), **digest}


def _dmarc(report: AggregateReport) -> dict[str, Any]:
    told = asdict(report)
    for record, shown in zip(report.records, told["records"], strict=True):
        shown["auth_results"] = {"dkim": shown.pop("dkim_results"), "spf": shown.pop("spf_results")}
        shown["aligned"] = record.aligned
    return {
        "kind": DMARC, "org": report.org_name, "report_id": report.report_id, "domain": report.policy.domain,
        "messages": report.messages, **told, "date_range": _seconds(report.begin, report.end),
    }  # fmt: skip


def _tls(report: TlsReport) -> dict[str, Any]:
    told = asdict(report)
    domains = list(dict.fromkeys(each.policy_domain for each in report.policies if each.policy_domain))
    return {
        "kind": TLS, "org": report.organization_name, "report_id": report.report_id,
        "domain": domains[0] if domains else "", **told, "date_range": _seconds(report.begin, report.end),
    }  # fmt: skip


def _seconds(begin: datetime, end: datetime) -> dict[str, int]:
    return {"begin": int(begin.timestamp()), "end": int(end.timestamp())}


def _time(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
