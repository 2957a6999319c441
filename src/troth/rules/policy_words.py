"""The house of policy in words: each number and switch as a sentence that a client firm understands.

`sentence(path, value)` says what a value means, `changes(before, after)` what differs between two documents, and
`CLAIMS` which promises of the trust centre stand behind a field (a programme promises those that it names).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from troth.rules.policy import FIELDS, HOURS, Document
from troth.rules.policy_labels import CLAIMS, GROUPS, LEADS
from troth.rules.policy_promise_words import WORDS
from troth.rules.policy_said import length, number, span
from troth.rules.quiet import spans
from troth.rules.strictness import NONE

__all__ = ("CLAIMS", "GROUPS", "LEADS", "changes", "length", "listed", "number", "sentence", "size", "span", "word")

_NBSP = "\N{NO-BREAK SPACE}"
_KIB, _MIB = 1_024, 1_048_576
_FORMAT_NAMES = {
    "application/pdf": "PDF", "image/gif": "GIF", "image/jpeg": "JPEG", "image/png": "PNG",
    "text/calendar": "calendar entries", "text/csv": "CSV", "text/plain": "plain text",
}  # fmt: skip
_PATHWAYS = {
    "confirmation-link": "a confirmation link",
    "employer-invitation": "an employer's invitation",
    "multi-step": "validation in several steps",
    "system": "an account here, for Troth's own mail",
    "vendor-agreement": "a vendor's signed agreement",
}
_CLOCK = {hour: f"{hour}:00 to {(int(hour) + 1) % 24:02}:00" for hour in HOURS}
_TAKEN = {"take": "taken", "refuse": "refused"}
_SHOWN = {"dkim": "DKIM", "dmarc-reject": "DMARC with p=reject", "spf": "SPF"}


def size(octets: int) -> str:
    """10 MiB, 32 KiB, or bytes where neither is whole."""
    for unit, name in ((_MIB, "MiB"), (_KIB, "KiB")):
        if octets and octets % unit == 0:
            return f"{octets // unit:,}{_NBSP}{name}"
    return number(octets, "byte")


def listed(words: list[str], last: str = "and") -> str:
    """a; a and b; a, b and c"""
    return f"{', '.join(words[:-1])} {last} {words[-1]}" if len(words) > 1 else "".join(words)


def _most(what: str) -> Callable[[int], str]:
    return lambda n: f"At most {number(n, 'message')} {what}" if n else f"No message {what}"


def _days(what: str) -> Callable[[int], str]:
    return lambda n: f"{what} is kept for at least {number(n, 'day')}"


def _types(given: list[str]) -> str:
    names = [_FORMAT_NAMES.get(each, each) for each in given]
    return f"Attachments may be {listed(names, 'or')}" if names else "No attachment is taken"


def _pathways(given: list[str]) -> str:
    names = [_PATHWAYS[each] for each in given]
    return f"An address is verified by {listed(names, 'or')}" if names else "Nobody is mailed"


def _required(given: list[str]) -> str:
    return (
        f"A domain sends only while it shows {listed([_SHOWN[each] for each in given])}"
        if given
        else "A domain need show nothing"
    )


def _quiet(given: list[str]) -> str:
    told = [f"from {first}:00 to {end}:00" for first, end in spans(tuple(given))]
    return f"Nothing is sent {listed(told)}, in the recipient's own time" if told else "Mail goes at any hour"


def _approvers(count: int) -> str:
    if count == 1:
        return "One other person approves each change"
    return f"{('Two', 'Three', 'Four', 'Five')[count - 2]} other people approve each change"


def _leavers(hours: int) -> str:
    return f"A leaver's access ends within {hours}{_NBSP}h" if hours else "A leaver's access ends at once"


def _told_within(given: str) -> str:
    if given == NONE:
        return "Client success is told of a complaint when somebody tells it"
    return f"Client success is told of a complaint within {length(given)}"


def _updates(given: str) -> str:
    return "Its reporter hears of each step" if given == NONE else f"Its reporter hears at least every {length(given)}"


_ACTIONS = {"slow": "Slow down", "stop-new": "Pause new mail", "stop-delivery": "Pause all delivery"}
_WORDS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        **WORDS,
        "limits.tenant_hour": _most("in an hour"),
        "limits.tenant_day": _most("in a day, of the client's own time"),
        "limits.key_hour": _most("in an hour with one API key"),
        "limits.template_hour": _most("of one template in an hour"),
        "limits.recipient_template_day": _most("of one template to one person in a day"),
        "bounce.soft_retry_minutes": lambda v: f"A bounce that may pass is tried again after {listed([*map(span, v)])}",
        "bounce.soft_window_minutes": lambda v: f"After {span(v)} of such bounces the address counts as bad",
        "bounce.hard_suppresses": lambda v: f"An address that is bad is {'suppressed at once' if v else 'tried again'}",
        "delivery.lifetime_minutes": lambda v: f"A message that could not be delivered is given up after {span(v)}",
        "delivery.uncertain": lambda v: (
            "A message that may have been sent is "
            + ("sent once more" if v == "redeliver" else "held for a person to look")
        ),
        "quiet.hours": _quiet,
        "anomaly.percent": lambda v: f"Act when today exceeds {v}{_NBSP}% of the 7-day average",
        "anomaly.action": lambda v: f"{_ACTIONS[v]} when volume is unusual, until a person has looked",
        "anomaly.new_mail": lambda v: f"What is asked for meanwhile is {'held' if v == 'hold' else 'refused'}",
        "anomaly.floor": lambda v: f"Up to {number(v, 'message')} in 24{_NBSP}h are never unusual",
        "anomaly.first_week_floor": lambda v: f"In the first week, up to {number(v, 'message')} in 24{_NBSP}h are not",
        "anomaly.slow_percent": lambda v: f"While slowed, {v}{_NBSP}% of the hourly limits are left",
        "anomaly.review_minutes": lambda v: f"A person looks within {span(v)}",
        "anomaly.ratio_hours": lambda v: f"Bounces and complaints are weighed over {number(v, 'hour')}",
        "anomaly.bounce_permille": lambda v: f"More than {v} bounces in 1,000 answered messages are unusual",
        "anomaly.bounce_sample": lambda v: f"Bounces are weighed from {number(v, 'answered message')} on",
        "anomaly.complaint_permille": lambda v: f"More than {v} complaints in 1,000 taken messages are unusual",
        "anomaly.complaint_sample": lambda v: f"Complaints are weighed from {number(v, 'taken message')} on",
        "content.raw": lambda v: "A category may permit mail without a template" if v else "All mail needs a template",
        "content.variable_bytes": lambda v: f"A message's variables are at most {size(v)}",
        "content.message_bytes": lambda v: f"A message is at most {size(v)}",
        "content.attachment_count": lambda v: (
            f"At most {number(v, 'attachment')} a message" if v else "No message has an attachment"
        ),
        "content.attachment_bytes": lambda v: f"A message's attachments are at most {size(v)} together",
        "content.attachment_types": _types,
        "content.max_recipients": lambda v: f"An email has at most {number(v, 'recipient')}",
        "content.schedule_days": lambda v: (
            f"Mail is scheduled at most {number(v, 'day')} ahead" if v else "Mail is not scheduled"
        ),
        "recipients.pathways": _pathways,
        "recipients.disposable": lambda v: f"A disposable address is {_TAKEN[v]} at registration",
        "recipients.roles": lambda v: f"The address of a role or a list is {_TAKEN[v]} at registration",
        "recipients.verified_days": lambda v: (
            f"A verification stands for {number(v, 'day')}; then the recipient is asked again"
        ),
        "recipients.unsubscribe_scope": lambda v: (
            "An opt-out ends " + ("mail of that category" if v == "category" else "all mail of the client")
        ),
        "recipients.overrides": lambda v: (
            "An approved exception from a suppression, which ends by itself, is possible"
            if v
            else "There is no exception from a suppression"
        ),
        "domain.required": _required,
        "domain.dkim_bits": lambda v: f"A DKIM key has at least {v:,}{_NBSP}bits",
        "domain.grace_minutes": lambda v: f"While the DNS does not answer, its last good answer stands for {span(v)}",
        "governance.approvers": _approvers,
        "governance.change_days": lambda v: f"A change that nobody decided expires after {number(v, 'day')}",
        "access.idle_minutes": lambda v: f"A session ends after {span(v)} without use",
        "access.sessions": lambda v: f"A person has at most {number(v, 'session')} at a time",
        "access.unused_days": lambda v: f"An account unused for {number(v, 'day')} is deactivated",
        "access.leaver_hours": _leavers,
        "access.review_days": lambda v: f"Access is reviewed at least every {number(v, 'day')}",
        "access.key_days": lambda v: f"An API key lives for at most {number(v, 'day')}",
        "access.key_overlap_hours": lambda v: (
            f"After a rotation the old key works for {v}{_NBSP}h more" if v else "A rotation ends the old key at once"
        ),
        "records.access_days": _days("The log of sign-ins"),
        "records.change_days": _days("The log of changes"),
        "records.request_days": _days("The log of API requests"),
        "records.grant_days": _days("The log of access granted"),
        "cases.complaint_review": lambda v: f"A complaint is reviewed within {length(v)}",
        "cases.complaint_told": _told_within,
        "cases.complaint_pattern": lambda v: f"A pattern is {number(v, 'complaint')} of one client's mail",
        "cases.complaint_pattern_hours": lambda v: f"Complaints within {number(v, 'hour')} count together",
        "cases.complaint_suspends": lambda v: (
            f"A pattern of complaints suspends {'the client until it is looked into' if v else 'nobody by itself'}"
        ),
        "cases.abuse_acknowledged": lambda v: f"A report of abuse is acknowledged within {length(v)}",
        "cases.abuse_resolved": lambda v: f"A report of abuse is resolved within {length(v)}",
        "cases.abuse_suspends": lambda v: (
            f"Confirmed abuse {'suspends the client at once' if v else 'is a decision alone'}"
        ),
        "cases.disclosure_acknowledged": lambda v: f"A report of a vulnerability is acknowledged within {length(v)}",
        "cases.disclosure_assessed": lambda v: f"A vulnerability is assessed within {length(v)}",
        "cases.disclosure_updated": _updates,
        "cases.patch_critical": lambda v: f"A critical vulnerability is patched within {length(v)}",
        "cases.patch_high": lambda v: f"A vulnerability of high severity is patched within {length(v)}",
        "cases.loops_review": lambda v: f"Complaints are reviewed at least every {number(v, 'day')}",
        "cases.dmarc_review": lambda v: f"DMARC reports are reviewed at least every {number(v, 'day')}",
        "cases.zone": lambda v: f"Business days and hours are those of {v}",
        "cases.country": lambda v: f"Public holidays of {v} are no business days" if v else "No public holiday counts",
        "cases.hours": lambda v: f"Business hours are {v}",
        "installation.relay_tls": lambda v: f"Mail goes to a relay over TLS{_NBSP}{v[3:]} or newer",
        "installation.request_bytes": lambda v: f"One request is at most {size(v)}",
        "installation.batch_emails": lambda v: f"One request asks for at most {number(v, 'email')}",
        "installation.override_hours": lambda v: f"An exception from a suppression ends within {v:,}{_NBSP}h",
    }
)


def sentence(path: str, value: Any, action: str | None = None) -> str:
    """What a value means. `action`: of the same policy's anomaly, so that its percentage names what happens."""
    if path == "anomaly.percent" and action is not None:
        return f"{_ACTIONS[action]} when today exceeds {value}{_NBSP}% of the 7-day average"
    given = list(value) if isinstance(value, list | tuple) else value
    return _WORDS[path](given)


def word(entry: str) -> str:
    """One entry of a list, as people call it."""
    return {**_FORMAT_NAMES, **_PATHWAYS, **_SHOWN, **_CLOCK}.get(entry, entry)


def changes(before: Document | None, after: Document) -> list[tuple[str, str, str, str]]:
    """(rule, before, after, field) of what differs between two levels' documents; "" where a level says nothing."""
    old, new = before or {}, after
    found = []
    for field in FIELDS:
        values = [document.get(field.section, {}).get(field.name) for document in (old, new)]
        if values[0] != values[1]:
            told = ["" if value is None else _told(field.path, value) for value in values]
            found.append((GROUPS[field.section], told[0], told[1], field.path))
    return found


def _told(path: str, value: Any) -> str:
    """A document that was approved long ago may hold what is no longer written so."""
    try:
        return sentence(path, value)
    except (IndexError, KeyError, TypeError, ValueError):
        return str(value)
