"""The command line, `troth inspect report`: a report as a person reads it, its figures as a table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from troth.cli.inspecting_line import line

MOST = 100  # sources or failures in a table; --json has all
_HEAD = ("Source", "Messages", "DKIM", "SPF", "DMARC", "Done with it", "In the name of")
_TLS = ("Domain", "Policy", "Encrypted", "Failed", "Why")


def report(path: str, fact: Mapping[str, Any]) -> Iterable[str]:
    """One file's lines. What cannot be read is one line that says why."""
    if not fact["ok"]:
        yield f"{line(path)}: no report. {fact['sentence']}"
        return
    for one in (fact, *fact.get("others", ())):
        dmarc = one["kind"] == "dmarc-aggregate"
        name = "DMARC report" if dmarc else "SMTP TLS report"
        about = f" on {_said(one['domain'])}" if one["domain"] else ""
        yield f"{line(path)}: {name}{about} by {_said(one['org'])}, {one['begin']} to {one['end']}"
        yield from _dmarc(one) if dmarc else _tls(one)


def _dmarc(one: Mapping[str, Any]) -> Iterable[str]:
    records = one["records"]
    passed = sum(each["count"] for each in records if each["aligned"])
    policy = one["policy"]
    yield f"  {one['messages']:,} messages, {passed:,} passed DMARC; the policy is p={_said(policy['p']) or 'not said'}"
    newest = sorted(records, key=lambda each: (each["aligned"], -each["count"]))
    yield from _table(_HEAD, [_source(each) for each in newest[:MOST]])
    yield from _more(len(records))


def _source(each: Mapping[str, Any]) -> tuple[str, ...]:
    done = _said(each["disposition"]) or "not said"
    return (each["source_ip"], f"{each['count']:,}", _said(each["dkim"]), _said(each["spf"]),
            "passed" if each["aligned"] else "failed", done, _said(each["header_from"]))  # fmt: skip


def _tls(one: Mapping[str, Any]) -> Iterable[str]:
    rows = []
    for each in one["policies"]:
        why = ", ".join(
            f"{_said(failure['result_type'])} ({failure['failed_session_count']:,})"
            for failure in each["failure_details"][:10]
        )
        good, failed = each["total_successful_session_count"], each["total_failure_session_count"]
        domain = _said(each["policy_domain"]) or "not said"
        rows.append((domain, _said(each["policy_type"]), f"{good:,}", f"{failed:,}", why))
    yield from _table(_TLS, rows[:MOST])
    yield from _more(len(rows))


def _said(text: str) -> str:
    """A stranger's word: in quotes where it has more than letters, digits and dots."""
    plain = text.isascii() and text.replace(".", "").replace("-", "").replace("_", "").isalnum()
    return text if plain or not text else line(text)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterable[str]:
    widths = [max(len(row[n]) for row in (head, *rows)) for n in range(len(head))]
    for row in (head, *rows):
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _more(n: int) -> Iterable[str]:
    if n > MOST:
        yield f"  The first {MOST} of {n:,}: --json has all."
