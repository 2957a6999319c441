"""Feedback: an SMTP TLS report (RFC 8460 section 4): whether other servers could reach ours over TLS, and why not.

Any octets: a TlsReport, or Unreadable. Names are the RFC's; numbers that are missing are 0, texts "".
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from troth.mail.dmarc_words import Unreadable, count, ip, moment

SIZE = 5 * 1024 * 1024  # octets; what it may hold of objects, lists and their items, for the memory they take
_OBJECTS, _ITEMS = 20_000, 200_000
_POLICIES, _DETAILS, _STRINGS, _LONG = 1_000, 5_000, 50, 1_000


@dataclass(frozen=True, slots=True)
class Failure:
    """failed_session_count sessions that failed for one reason (section 4.4)."""

    result_type: str
    sending_mta_ip: str
    receiving_ip: str
    receiving_mx_hostname: str
    receiving_mx_helo: str
    failed_session_count: int
    additional_information: str
    failure_reason_code: str


@dataclass(frozen=True, slots=True)
class TlsPolicy:
    """policy_type: sts, tlsa, no-policy-found, or what else was said."""

    policy_type: str
    policy_string: tuple[str, ...]
    policy_domain: str
    mx_host: tuple[str, ...]
    total_successful_session_count: int
    total_failure_session_count: int
    failure_details: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class TlsReport:
    """cut: policies and failures over the most that are kept."""

    organization_name: str
    contact_info: str
    report_id: str
    begin: datetime
    end: datetime
    policies: tuple[TlsPolicy, ...]
    cut: int = 0


def read(octets: bytes) -> TlsReport:
    """Total but for Unreadable."""
    given = _document(octets)
    dates = _object(given.get("date-range"))
    begin, end = moment(_text(dates.get("start-datetime"))), moment(_text(dates.get("end-datetime")))
    if begin is None or end is None or end < begin:
        raise Unreadable("no-dates", "It does not say of which time it is: date-range.")
    org = _text(given.get("organization-name")) or _text(given.get("contact-info")).rpartition("@")[2]
    if not org:
        raise Unreadable("no-reporter", "It does not say whose it is: organization-name.")
    policies = given.get("policies")
    if not isinstance(policies, list):
        raise Unreadable("incomplete", "It lacks its policies.")
    kept, cut = _policies(policies)
    contact, id_ = _text(given.get("contact-info")), _text(given.get("report-id"))
    return TlsReport(org, contact, id_, begin, end, kept, cut)


def _document(octets: bytes) -> dict[str, Any]:
    text = octets.decode("utf-8-sig", errors="replace").strip()
    if not text:
        raise Unreadable("empty", "It is empty: there is no report in it.")
    if len(octets) > SIZE:
        raise Unreadable("large", f"It is larger than {SIZE // 1024 // 1024} MB.")
    if text.count("{") + text.count("[") > _OBJECTS or text.count(",") > _ITEMS:
        raise Unreadable("many", "It says more than a report can: too many policies or failures.")
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError):
        raise Unreadable("json", "It is not JSON.") from None
    if not isinstance(found, dict) or not {"policies", "report-id", "organization-name"} & found.keys():
        raise Unreadable("not-a-report", "It is JSON, but no SMTP TLS report.")
    return found


def _policies(given: list[Any]) -> tuple[tuple[TlsPolicy, ...], int]:
    """Failures are counted over all policies, so that a thousand of them are no way round the most of one."""
    left, cut = _DETAILS, max(0, len(given) - _POLICIES)
    found = []
    for each in given[:_POLICIES]:
        entry = _object(each)
        details = _list(entry.get("failure-details"))
        cut += max(0, len(details) - left)
        found.append(_policy(entry, details[:left]))
        left -= len(found[-1].failure_details)
    return tuple(found), cut


def _policy(entry: dict[str, Any], details: list[Any]) -> TlsPolicy:
    policy, summary = _object(entry.get("policy")), _object(entry.get("summary"))
    return TlsPolicy(
        policy_type=_text(policy.get("policy-type")).lower(),
        policy_string=_texts(policy.get("policy-string")),
        policy_domain=_text(policy.get("policy-domain")),
        mx_host=_texts(policy.get("mx-host") or policy.get("mx-host-pattern")),
        total_successful_session_count=_number(summary.get("total-successful-session-count")),
        total_failure_session_count=_number(summary.get("total-failure-session-count")),
        failure_details=tuple(_failure(_object(each)) for each in details),
    )


def _failure(given: dict[str, Any]) -> Failure:
    return Failure(
        result_type=_text(given.get("result-type")).lower(),
        sending_mta_ip=ip(_text(given.get("sending-mta-ip"))),
        receiving_ip=ip(_text(given.get("receiving-ip"))),
        receiving_mx_hostname=_text(given.get("receiving-mx-hostname")),
        receiving_mx_helo=_text(given.get("receiving-mx-helo")),
        failed_session_count=_number(given.get("failed-session-count")),
        additional_information=_text(given.get("additional-information") or given.get("additional-info-uri")),
        failure_reason_code=_text(given.get("failure-reason-code")),
    )


def _object(given: Any) -> dict[str, Any]:
    return given if isinstance(given, dict) else {}


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _text(given: Any) -> str:
    return given.strip()[:_LONG] if isinstance(given, str) else str(given) if isinstance(given, int) else ""


def _texts(given: Any) -> tuple[str, ...]:
    """A list of texts; one text is a list of one, as some send it."""
    return tuple(_text(each) for each in (_list(given) or ([given] if isinstance(given, str) else []))[:_STRINGS])


def _number(given: Any) -> int:
    return count(str(given)[:20]) or 0 if isinstance(given, int | str) and not isinstance(given, bool) else 0
