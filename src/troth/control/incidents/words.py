"""Cases in words: their kinds and states, clocks, steps and outcomes, and each entry of a timeline as a sentence."""

from collections.abc import Mapping
from types import MappingProxyType

KINDS: Mapping[str, str] = MappingProxyType({"incident": "Incident", "abuse": "Abuse", "disclosure": "Vulnerability"})
# state -> the look's word (its tone and shape), and how it is said
STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "open": ("pending", "Open"),
        "acknowledged": ("accepted", "Acknowledged"),
        "assessed": ("accepted", "Assessed"),
        "resolved": ("holds", "Resolved"),
        "closed": ("retired", "Closed"),
    }
)
CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "complaint": "A recipient’s complaint",
        "complaint-pattern": "A pattern of complaints",
        "complaint-finding": "The review of complaints",
        "letter": "A letter",
        "feedback-report": "A provider’s feedback report",
        "form": "The public form",
        "domain": "A sending domain’s DNS records stopped holding",
        "reputation": "A DNS list or a reverse name speaks against what we send from",
        "dmarc-finding": "The review of DMARC reports",
        "report": "A recipient’s report",
        "claim": "A promise of the trust centre does not hold any more",
    }
)
CLOCKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "told": ("Client success told", "somebody tells client success"),
        "review": ("Reviewed", "a person reviews it"),
        "acknowledge": ("Reporter told", "its reporter hears that it arrived"),
        "resolve": ("Resolved", "it is looked into and resolved"),
        "assess": ("Assessed", "a person assesses it and says how severe it is"),
        "patch": ("Patched", "it is patched"),
        "update": ("Next word", "its reporter hears how it stands"),
    }
)
SEVERITIES: Mapping[str, str] = MappingProxyType(
    {"low": "Low", "medium": "Medium", "high": "High", "critical": "Critical"}
)
OUTCOMES: Mapping[str, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "incident": MappingProxyType({
            "justified": ("Justified", "The recipient was right: something went wrong, and the words say what."),
            "unfounded": ("Unfounded", "The mail was asked for and as agreed."),
            "fixed": ("Fixed", "Something of ours or of the client’s was wrong, and is put right."),
            "duplicate": ("Duplicate", "Another incident tells of the same."),
        }),
        "abuse": MappingProxyType({
            "confirmed": ("Confirmed", "It is abuse. Where policy says so, the client’s sending is suspended at once."),
            "unfounded": ("Unfounded", "It is not abuse."),
            "duplicate": ("Duplicate", "Another case tells of the same."),
            "no-report": ("No report", "The letter reports nothing: an advertisement, a mistake."),
        }),
        "disclosure": MappingProxyType({
            "fixed": ("Fixed", "It was a vulnerability, and is patched."),
            "accepted": ("Accepted", "It is one, and its risk is accepted; the words say why."),
            "invalid": ("Not a vulnerability", "It was tried and is none."),
            "duplicate": ("Duplicate", "Another report tells of the same."),
        }),
    }
)  # fmt: skip
# step -> its button, the title over its form, what is asked for in words, and the consequence
STEPS: Mapping[str, tuple[str, str, str, str]] = MappingProxyType(
    {
        "acknowledge": ("Acknowledge", "Acknowledge it", "A note (may stay empty)",
                        "You take it on: it is yours until it is given to somebody else, unless somebody has it."),
        "tell": ("Client success was told", "Client success was told", "Who was told, and how",
                 "The clock for telling client success ends. This tells nobody by itself."),
        "assess": ("Assess", "Assess it", "What it is, and how it was judged",
                   "Its severity is on record, and starts the clock of its patch: critical and high ones have one."),
        "update": ("I told its reporter otherwise", "How its reporter was told", "What they were told, when and how",
                   "This sends nothing: you say how else they were told, or why nobody can be. The clocks of it end."),
        "assign": ("Give it to somebody", "Give it to somebody", "Why (may stay empty)",
                   "The mail about its clocks goes to them alone from now on."),
        "severity": ("Change its severity", "Change its severity", "Why (may stay empty)",
                     "A clock of its patch that is not yet due gives way to that of the new severity."),
        "note": ("Write a note", "Write a note", "The note",
                 "It stands in the timeline for good. Name no recipient: people are erased, notes are not."),
        "resolve": ("Resolve", "Resolve it", "Root cause, and what was done",
                    "What was owed on it is done. It stays to be closed, and can be reopened."),
        "close": ("Close", "Close it", "A last word (may stay empty)",
                  "It changes no more. A later letter is still kept and shown; reopening starts its clocks anew."),
        "reopen": ("Reopen", "Reopen it", "Why", "Its outcome is taken back, and its clocks start anew."),
        "seen": ("I have seen it", "What came was seen", "", "Nothing else changes."),
    }
)  # fmt: skip
# step -> what was done, once it is: {} is the case's reference
DONE: Mapping[str, str] = MappingProxyType(
    {
        "acknowledge": "{} is acknowledged, and looked after.", "tell": "{}: client success was told; it is on record.",
        "assess": "{} is assessed.", "update": "{}: how its reporter was told is on record.",
        "assign": "{} was given over.",
        "severity": "{}: its severity is on record.", "note": "{}: your note is in the timeline.",
        "resolve": "{} is resolved.", "close": "{} is closed.", "reopen": "{} is open again, and its clocks run anew.",
        "seen": "{}: what came was seen.",
    }
)  # fmt: skip
ENTRIES: Mapping[str, str] = MappingProxyType(
    {
        "open": "It was opened", "acknowledge": "Acknowledged", "tell": "Client success was told", "assess": "Assessed",
        "update": "How its reporter was told otherwise", "assign": "Given to", "severity": "Severity",
        "note": "Note", "resolve": "Resolved", "close": "Closed", "reopen": "Reopened", "seen": "What came was seen",
        "letter": "A letter came", "form": "The public form was sent", "mail": "Mail was sent",
        "written": "A mail to the reporter was written, and waits to be sent",
        "answered": "Our mail that we have it was taken for delivery to the reporter",
        "mailed": "Our mail was taken for delivery to the reporter",
        "mail-unsent": "Our mail to the reporter could not be sent: they were not told",
        "reporter-yes": "The reporter asked to be told", "reporter-stop": "The reporter wants no more mail",
        "soon": "Soon due", "overdue": "Missed", "paper-read": "A paper was opened", "suspend": "Sending was suspended",
        "report": "A report came", "feedback-report": "A feedback report came",
        "client": "It was found whose mail it is about", "credit-consent": "They agreed to be named",
        "credit": "They were thanked in public", "credit-end": "Their name was taken away",
    }
)  # fmt: skip
TONES: Mapping[str, str] = MappingProxyType(
    {
        "open": "pending", "overdue": "fails", "soon": "pending", "resolve": "holds", "close": "retired",
        "suspend": "paused", "mail-unsent": "fails", "reopen": "pending", "acknowledge": "accepted",
        "assess": "accepted", "tell": "accepted", "update": "accepted", "answered": "accepted", "mailed": "accepted",
    }
)  # fmt: skip


def entry(kind: str, value: str, of: str, other: str) -> str:
    """An entry in words. `of`: the case's kind; `other`: whom it was given to."""
    said = ENTRIES.get(kind, kind.replace("-", " ").capitalize())
    if kind in ("soon", "overdue"):
        return f"{said}: {CLOCKS.get(value.partition(' ')[0], (value, ''))[0].lower()}"
    if kind == "open":
        return f"{said}: {CAUSES.get(value, value.replace('-', ' ')).lower()}"
    if kind == "assign":
        return f"{said} {other}" if other else "Given back to all"
    if kind in ("severity", "assess") and value:
        return f"{said}: {SEVERITIES.get(value, value).lower()}"
    if kind == "resolve":
        return f"{said}: {OUTCOMES[of].get(value, (value, ''))[0].lower()}"
    return said


def done(step: str, reference: str, value: str) -> str:
    """A step that was taken, as the next page says it. `value`: as of the step."""
    if step == "assign" and not value:
        return f"{reference} is nobody’s in particular now."
    return DONE[step].format(reference)


def outcome(kind: str, value: str | None) -> str:
    return OUTCOMES[kind].get(value, (value, ""))[0] if value else ""
