"""Categories, the form: fields as typed, the artefact that they come to, and what is wrong with them at its field."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict

from troth.control.approvals.artefacts.category import LAWFUL_BASES
from troth.control.audit.refusals import Problem
from troth.rules.policy import PATHWAYS, Policy

CLASSES = (
    ("transactional", "Transactional", "About what the recipient does or has agreed to: a receipt, a reminder."),
    ("relationship", "Relationship", "About what the recipient has: changed terms, a statement, a safety notice."),
    ("required", "Required by law", "A notice that the law asks for; what cannot be sent is served otherwise."),
    ("commercial", "Commercial", "Advertising. The promise EML-13 forbids it: it will not be accepted."),
)  # fmt: skip
_BASES = {
    "contract": "Contract (GDPR 6.1 b)",
    "legal-obligation": "Legal obligation (GDPR 6.1 c)",
    "legitimate-interest": "Legitimate interest (GDPR 6.1 f)",
    "consent": "Consent (GDPR 6.1 a)",
}
BASES = tuple((base, _BASES[base]) for base in LAWFUL_BASES)
WAYS = tuple((each, each.replace("-", " ").capitalize()) for each in PATHWAYS)
LABELS = {
    "code": "Code", "name": "Name", "purpose": "Purpose", "legal_class": "Legal class", "lawful_basis": "Lawful basis",
    "sender_name": "Sender’s name", "sender_address": "Sender’s address", "reply_to": "Answers go to",
    "lifetime": "Lifetime", "template_hour": "Of one template in an hour", "recipient_day": "To one recipient in a day",
    "pathways": "Whom it may be sent to", "raw": "Mail without a template", "reason": "Why",
}  # fmt: skip
# a field of the form and the number of the policy's category level that it is
NUMBERS = {
    "lifetime": ("delivery", "lifetime_minutes"),
    "template_hour": ("limits", "template_hour"),
    "recipient_day": ("limits", "recipient_template_day"),
}
_PLACES = {"sender.name": "sender_name", "sender.address": "sender_address", "policy.recipients.pathways": "pathways"}
_PLACES |= {f"policy.{section}.{name}": field for field, (section, name) in NUMBERS.items()}
_LONGEST = {"purpose": 500, "reason": 2_000}
_SPAN = re.compile(r"(\d{1,6})\s*(m|min|minutes?|h|hours?|d|days?)?\Z", re.IGNORECASE)
_MINUTES = {"m": 1, "h": 60, "d": 1440}

type Typed = dict[str, Any]


@dataclass(slots=True)
class Read:
    artefact: dict[str, Any]
    faults: dict[str, str] = field(default_factory=dict)


def fresh() -> Typed:
    return {**dict.fromkeys(LABELS, ""), "legal_class": "transactional", "pathways": [], "raw": ""}


def of_artefact(code: str, artefact: Mapping[str, Any]) -> Typed:
    """What the form shows for a version."""
    policy = artefact.get("policy") or {}
    numbers = {name: policy.get(section, {}).get(which) for name, (section, which) in NUMBERS.items()}
    return {
        **fresh(),
        "code": code,
        **{name: artefact.get(name, "") for name in ("name", "purpose", "legal_class", "lawful_basis", "reply_to")},
        "sender_name": artefact["sender"]["name"],
        "sender_address": artefact["sender"]["address"],
        "raw": "on" if artefact.get("raw") else "",
        "pathways": policy.get("recipients", {}).get("pathways", []),
        **{name: "" if value is None else span(value) if name == "lifetime" else str(value)
           for name, value in numbers.items()},
    }  # fmt: skip


def typed_in(post: QueryDict) -> Typed:
    found: Typed = {name: post.get(name, "").replace("\0", "").strip()[: _LONGEST.get(name, 320)] for name in fresh()}
    return {**found, "pathways": [each.replace("\0", "") for each in post.getlist("pathways")[:10]]}


def read(typed: Typed, before: Mapping[str, Any] | None) -> Read:
    """`before`: the version in force; the parts of its policy that are not on the form stay."""
    faults: dict[str, str] = {}
    if not typed["code"]:
        faults["code"] = "Give it a code, such as rent-reminder: programs and keys name it by that."
    if not typed["lawful_basis"]:
        faults["lawful_basis"] = "Choose why the recipient’s address may be used for this."
    policy = {section: dict(part) for section, part in ((before or {}).get("policy") or {}).items()}
    for name, (section, which) in NUMBERS.items():
        number = _number(name, typed[name], faults)
        _put(policy, section, which, number)
    _put(policy, "recipients", "pathways", sorted(typed["pathways"]) or None)
    artefact = {
        "name": typed["name"],
        "purpose": typed["purpose"],
        "sender": {"name": typed["sender_name"], "address": typed["sender_address"]},
        "legal_class": typed["legal_class"],
        "lawful_basis": typed["lawful_basis"],
        "raw": bool(typed["raw"]),
        "policy": policy,
        **({"reply_to": typed["reply_to"]} if typed["reply_to"] else {}),
    }
    return Read(artefact, faults)


def faults_of(problems: Iterable[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in problems:
        name = each.field if each.field in LABELS else _PLACES.get(each.field, "")
        found[name] = f"{found[name]} {each.hint}" if name in found else each.hint
    return found


def hints(policy: Policy | None) -> dict[str, str]:
    """What holds where a field is left empty: the levels above."""
    if policy is None:
        return {}
    ways = ", ".join(each.replace("-", " ") for each in policy.recipients.pathways)
    longest = span(policy.delivery.lifetime_minutes)
    return {
        "lifetime": f"As 90 min, 12 h or 3 d, from when it is due. Empty: {longest}, the most.",
        "template_hour": f"Empty: {policy.limits.template_hour:,}, the most.",
        "recipient_day": f"Empty: {policy.limits.recipient_template_day:,}, the most.",
        "pathways": f"Recipients whose address was verified in one of these ways. None chosen: {ways}.",
    }  # fmt: skip


def span(minutes: int) -> str:
    for size, unit in ((1440, "d"), (60, "h")):
        if minutes % size == 0:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"


def _number(name: str, text: str, faults: dict[str, str]) -> int | None:
    if not text:
        return None
    if name == "lifetime":
        found = _SPAN.match(text)
        if found is None:
            faults[name] = "Write a length of time: 90 min, 12 h or 3 d."
            return None
        return int(found[1]) * _MINUTES[(found[2] or "m")[0].lower()]
    plain = text.replace(",", "")
    if not (plain.isascii() and plain.isdigit() and len(plain) < 10):
        faults[name] = "Write a whole number of messages, such as 500."
        return None
    return int(plain)


def _put(policy: dict[str, dict[str, Any]], section: str, which: str, value: Any) -> None:
    part = policy.setdefault(section, {})
    part.pop(which, None)
    if value is not None:
        part[which] = value
    if not part:
        del policy[section]
