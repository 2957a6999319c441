"""Feedback: xARF's reports, a block of "Name: value" (0.1, 0.2) or a JSON document (1 to 4), in a feedback report's own
shape. Pure, total, bounded.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any

from troth.mail.feedback_report_returned import Returned, of_parts
from troth.mail.parts import Part, fields_of
from troth.mail.parts import read as read_parts

_JSON = 10_485_760  # octets
_TEXT = 262_144
_SAMPLES = 20
_NAMES = {  # of the document: ARF's
    "SourceIp": "Source-IP", "source_identifier": "Source-IP", "SmtpMailFromAddress": "Original-Mail-From",
    "smtp_from": "Original-Mail-From", "SmtpRcptToAddress": "Original-Rcpt-To", "smtp_to": "Original-Rcpt-To",
    "Date": "Arrival-Date", "timestamp": "Arrival-Date", "SmtpMessageId": "Message-ID", "message_id": "Message-ID",
    "Domain": "Reported-Domain", "SourcePort": "Source-Port", "source_port": "Source-Port",
}  # fmt: skip
_OLD = {"Source": "Source-IP", "Report-Type": "Feedback-Type", "Date": "Arrival-Date", "User-Agent": "User-Agent"}

type Found = tuple[str, tuple[tuple[str, str], ...], Returned]


def xarf(root: Part) -> Found | None:
    """(kind as it said, fields, returned message); None for what is none."""
    for part in root.walk():
        document = _document(part)
        if document is not None:
            return _new(document, root)
    return _old(root) if root.first("X-XARF") or root.first("X-ARF") else None


def _document(part: Part) -> Mapping[str, Any] | None:
    """The JSON of xARF, by its own marks."""
    if part.parts or not (
        part.type in ("application/json", "application/xarf+json") or "json" in part.parameters.get("name", "")
    ):
        return None
    try:
        read = json.loads(part.body[:_JSON])
    except (ValueError, RecursionError):
        return None
    if isinstance(read, dict) and (
        "xarf_version" in read or "ReporterInfo" in read or isinstance(read.get("Report"), dict)
    ):
        return read
    return None


def _new(document: Mapping[str, Any], root: Part) -> Found:
    report = document["Report"] if isinstance(document.get("Report"), dict) else document
    kind = str(report.get("ReportType") or report.get("type") or report.get("ReportClass") or "other")
    fields = [(name, str(report[key])) for key, name in _NAMES.items() if isinstance(report.get(key), str | int)]
    samples = report.get("Samples") or report.get("evidence") or ()
    returned = next(_sampled(samples), Returned()) if isinstance(samples, list) else Returned()
    return kind, tuple(fields), returned if returned.fields else of_parts(root.parts)


def _sampled(samples: list[Any]) -> Iterator[Returned]:
    for sample in samples[:_SAMPLES]:
        if not isinstance(sample, dict):
            continue
        payload = sample.get("Payload") or sample.get("payload")
        kind = str(sample.get("ContentType") or sample.get("content_type") or "")
        if isinstance(payload, str) and "rfc822" in kind:
            part = read_parts(_octets(payload, encoded=sample.get("Base64Encoded", "payload" in sample)))
            yield Returned(part.fields, part, whole=True)


def _octets(payload: str, *, encoded: object) -> bytes:
    try:
        return base64.b64decode(payload, validate=True) if encoded else payload.encode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return payload.encode("utf-8", "replace")


def _old(root: Part) -> Found | None:
    """0.1 and 0.2: YAML's simplest lines, in a text part that is the report."""
    for part in root.walk():
        if not part.parts and part.type.startswith("text/"):
            said = {name: value.strip().strip("'\"") for name, value in fields_of(part.text()[:_TEXT].lstrip("-\r\n "))}
            if "Report-Type" in said or "Category" in said:
                kind = said.get("Report-Type") or said.get("Category", "")
                fields = tuple((_OLD.get(name, name), value) for name, value in said.items())
                return kind, fields, of_parts(root.parts)
    return None
