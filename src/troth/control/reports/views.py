"""Reports of others, for people: what servers told of mail in our domains' names (DMARC) and of TLS to them."""

import csv
import io
import ipaddress
from datetime import datetime
from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from troth.control.access.exporting import safe
from troth.control.people.guard import needs
from troth.control.reports import chart, reading, words
from troth.control.reports.reading import PAGE, SOURCES, Line

_SECTION: dict[str, Any] = {"section": "dmarc"}
_HEAD = (
    "day", "domain", "source_ip", "messages", "disposition", "dkim_aligned", "spf_aligned", "our_key", "header_from",
    "envelope_from", "dkim_domain", "dkim_selector", "spf_domain", "override", "reporter", "signed", "report",
)  # fmt: skip


@needs("dmarc:read")
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """GET /dmarc?domain=&signed=: four weeks: volume, domains, sources, and what is new since last week."""
    at = reading.now()
    domain, signed = request.GET.get("domain", "").replace("\0", "")[:255].lower(), request.GET.get("signed") == "1"
    sources = reading.sources(at, domain, signed=signed)
    shown, days = sources[:SOURCES], reading.days(at)
    week, before = days[-7:], days[-14:-7]
    context = {
        "now": at, "domain": domain, "signed": signed, "domains": reading.domains(at), "volume": chart.volume(days),
        "sources": [(each, words.WHOSE[each.whose]) for each in shown], "more": len(sources) > SOURCES,
        "fresh": [each for each in shown if each.fresh], "week": sum(d.messages for d in week),
        "before": sum(d.messages for d in before), "failed": sum(d.failed for d in week),
        "failed_before": sum(d.failed for d in before),
    }  # fmt: skip
    return render(request, "reports/list.html", {**_SECTION, **context})


@needs("dmarc:read")
@require_safe
def source(request: HttpRequest, ip: str) -> HttpResponse:
    """GET /dmarc/sources/<ip>: everything that was told of one address in 90 days."""
    try:
        address = str(ipaddress.ip_address(ip))
    except ValueError:
        raise Http404 from None
    parts = reading.source(reading.now(), address)
    total, passed = sum(p.messages for p in parts), sum(p.messages for p in parts if p.dkim or p.spf)
    return render(request, "reports/source.html", {
        **_SECTION, "ip": address, "parts": parts, "total": total, "passed": passed,
        "ours": any(p.ours for p in parts), "orgs": sorted({org for p in parts for org in p.org.split(", ")}),
    })  # fmt: skip


@needs("dmarc:read")
@require_safe
def reports(request: HttpRequest) -> HttpResponse:
    """GET /dmarc/reports?domain=&before=: each report, the newest first."""
    return _lines(request, "dmarc", "reports/reports.html")


@needs("dmarc:read")
@require_safe
def tls_reports(request: HttpRequest) -> HttpResponse:
    """GET /tls-reports/all?before=: each report, the newest first."""
    return _lines(request, "tls", "reports/tls_reports.html")


def _lines(request: HttpRequest, kind: str, template: str) -> HttpResponse:
    domain = request.GET.get("domain", "").replace("\0", "")[:255].lower()
    before = _before(request.GET.get("before", ""))
    found = reading.reports(kind, domain, before)
    older = _mark(found[PAGE - 1]) if len(found) > PAGE else ""
    return render(request, template, {
        **_SECTION, "reports": found[:PAGE], "domain": domain,
        "older": older, "newer": bool(before),
    })  # fmt: skip


def _mark(line: Line) -> str:
    return f"{line.arrived.isoformat()}~{line.id}"


def _before(given: str) -> tuple[datetime, UUID] | None:
    """What a page's link says; what nobody made is the first page."""
    when, _, id_ = given.replace(" ", "+").partition("~")
    try:
        at = datetime.fromisoformat(when)
        return (at, UUID(id_)) if at.tzinfo else None
    except ValueError:
        return None


@needs("dmarc:read")
@require_safe
def report(request: HttpRequest, report: UUID) -> HttpResponse:
    """GET /dmarc/reports/<id>: one report: who told it, what it saw, and its records."""
    found = reading.access_report(report)
    return render(request, "reports/report.html", {
        **_SECTION, "report": found, "records": reading.records(report), "policy": found.head.get("policy", {}),
    })  # fmt: skip


@needs("dmarc:read")
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """GET /dmarc/records.csv: the records of four weeks as they were told, RFC 4180; no cell is a formula."""
    del request
    at = reading.now()
    made = io.StringIO()
    writer = csv.writer(made)
    writer.writerow(_HEAD)
    for each in reading.every_record(at - 4 * reading.WEEK):
        writer.writerow([safe(_yes(value)) for value in (
            each.day, each.domain, each.ip, each.messages, each.disposition, each.dkim, each.spf, each.ours,
            each.header_from, each.envelope_from, each.dkim_domain, each.dkim_selector, each.spf_domain, each.reason,
            each.org, each.signed, each.report,
        )])  # fmt: skip
    answer = HttpResponse(made.getvalue(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="dmarc-{at:%Y-%m-%d}.csv"'
    return answer


def _yes(value: object) -> object:
    return ("yes" if value else "no") if isinstance(value, bool) else value


@needs("dmarc:read")
@require_safe
def tls(request: HttpRequest) -> HttpResponse:
    """GET /tls-reports: four weeks: by domain and reporter, and why sessions failed."""
    at = reading.now()
    told, failures = reading.tls(at), reading.failures(at)
    return render(request, "reports/tls.html", {
        **_SECTION, "told": told, "failures": [(f, words.RESULTS.get(f.result, "")) for f in failures],
        "good": sum(t.good for t in told), "failed": sum(t.failed for t in told),
    })  # fmt: skip


@needs("dmarc:read")
@require_safe
def tls_report(request: HttpRequest, report: UUID) -> HttpResponse:
    """GET /tls-reports/<id>: one report."""
    found = reading.access_tls(report)
    failures = reading.failures(found.arrived, report)
    return render(request, "reports/tls_report.html", {
        **_SECTION, "report": found,
        "failures": [(f, words.RESULTS.get(f.result, "")) for f in failures],
    })  # fmt: skip
