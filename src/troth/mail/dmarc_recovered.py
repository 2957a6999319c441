"""Feedback: a DMARC report whose XML was broken, as parsedmarc recovered it, as the report that dmarc.read makes.

What comes in is parsedmarc 11's own dictionary, out of a child process; it is as strange as the report was.
"""

from collections.abc import Iterable
from typing import Any

from troth.mail.dmarc import RECORDS, AggregateReport, DkimResult, Policy, Reason, Record, SpfResult
from troth.mail.dmarc_words import Unreadable, count, ip, moment

_LONG, _FEW = 1_000, 50
_Given = dict[str, Any]


def report_of(given: _Given) -> AggregateReport:
    """Raise Unreadable where it says no domain or time."""
    meta, policy = _object(given.get("report_metadata")), _policy(_object(given.get("policy_published")))
    begin, end = moment(_text(meta.get("begin_date"))), moment(_text(meta.get("end_date")))
    if begin is None or end is None or end < begin:
        raise Unreadable("no-dates", "It does not say of which time it is: begin and end of date_range.")
    if not policy.domain:
        raise Unreadable("no-domain", "It does not say of which domain it is: policy_published has no domain.")
    every = _list(given.get("records"))
    made = [_record(_object(each)) for each in every[:RECORDS]]
    records = tuple(each for each in made if each is not None)
    return AggregateReport(
        version=_text(given.get("xml_schema")).replace("draft", ""), namespace=_text(given.get("xml_namespace")),
        org_name=_text(meta.get("org_name")), email=_text(meta.get("org_email")),
        extra_contact_info=_text(meta.get("org_extra_contact_info")), report_id=_text(meta.get("report_id")),
        begin=begin, end=end, errors=tuple(_text(each) for each in _list(meta.get("errors"))[:_FEW]),
        generator=_text(meta.get("generator")), policy=policy, records=records, extensions=(),
        skipped=len(made) - len(records), cut=max(0, len(every) - RECORDS), recovered=True,
    )  # fmt: skip


def _policy(given: _Given) -> Policy:
    names = ("adkim", "aspf", "p", "sp", "np", "pct", "fo", "testing", "discovery_method")
    return Policy(_text(given.get("domain")), "", **{name: _text(given.get(name)).lower() for name in names})


def _record(given: _Given) -> Record | None:
    evaluated, names = _object(given.get("policy_evaluated")), _object(given.get("identifiers"))
    source = ip(_text(_object(given.get("source")).get("ip_address")))
    number = count(_text(given.get("count")))
    if not source or number is None:
        return None
    results = _object(given.get("auth_results"))
    return Record(
        source_ip=source, count=number, disposition=_text(evaluated.get("disposition")).lower(),
        dkim=_text(evaluated.get("dkim")).lower(), spf=_text(evaluated.get("spf")).lower(),
        reasons=tuple(_reasons(_list(evaluated.get("policy_override_reasons")))),
        envelope_to=_text(names.get("envelope_to")), envelope_from=_text(names.get("envelope_from")),
        header_from=_text(names.get("header_from")),
        dkim_results=tuple(_dkim(_object(each)) for each in _list(results.get("dkim"))[:_FEW]),
        spf_results=tuple(_spf(_object(each)) for each in _list(results.get("spf"))[:_FEW]), extensions=(),
    )  # fmt: skip


def _reasons(given: list[Any]) -> Iterable[Reason]:
    found = (Reason(_text(_object(e).get("type")).lower(), _text(_object(e).get("comment"))) for e in given[:_FEW])
    return (each for each in found if each.type or each.comment)


def _dkim(given: _Given) -> DkimResult:
    domain, selector, result, human = (_text(given.get(n)) for n in ("domain", "selector", "result", "human_result"))
    return DkimResult(domain, selector, result.lower(), human)


def _spf(given: _Given) -> SpfResult:
    domain, scope, result, human = (_text(given.get(n)) for n in ("domain", "scope", "result", "human_result"))
    return SpfResult(domain, scope.lower(), result.lower(), human)


def _object(given: Any) -> _Given:
    return given if isinstance(given, dict) else {}


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else []


def _text(given: Any) -> str:
    return "" if given is None or isinstance(given, dict | list) else str(given).strip()[:_LONG]
