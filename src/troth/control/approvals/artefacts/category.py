"""Four eyes, kind `category`: a notification type, which owns its sender, its legal class and its own limits."""

import re
from typing import Any

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.approvals.spent import Within, stated_below_spent
from troth.control.approvals.standing import conflicts, document_problems, standing
from troth.control.audit.refusals import Problem
from troth.mail.address import AddressError, parse_address
from troth.mail.mailbox import Mailbox, parse_mailbox
from troth.rules.policy import PATHWAYS

# What mail may be: CAN-SPAM's transactional or relationship messages, and notices that the law itself asks for.
LEGAL_CLASSES = ("transactional", "relationship", "required")
# GDPR Article 6 (1), points b, c, f and a
LAWFUL_BASES = ("contract", "legal-obligation", "legitimate-interest", "consent")
_CODE = re.compile(r"[a-z][a-z0-9-]{1,62}\Z")


class Sender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    address: str


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`required` notices are those that the law asks for; `raw` permits content without a template. Lifetime, limits
    and whom it may be sent to are its own level of the policy. `lawful_basis` may be missing in what is older than it.
    """

    name: str
    purpose: str
    sender: Sender
    legal_class: str
    lawful_basis: str = ""
    reply_to: str = ""
    raw: bool = False
    policy: dict[str, Any] = {}
    retired: bool = False


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Category)
    problems = code_problems(asked.code) + _sender_problems(given.sender)
    for name in ("name", "purpose"):
        if not getattr(given, name).strip():
            problems.append(Problem(name, "empty", "Recipients read this: fill it in."))
    problems += _class_problems(given) + _reply_problems(given.reply_to)
    problems += document_problems(given.policy)
    if problems or given.retired:
        return problems
    here = standing(asked.connection, asked.tenant)
    old = here.categories.get(asked.code, {}).get("policy", {}).get("limits", {})
    new = given.policy.get("limits", {})
    return conflicts(here.with_category(asked.code, asked.artefact)) or stated_below_spent(
        asked.connection, here, old, new, Within(category=asked.code)
    )


def _class_problems(given: Category) -> list[Problem]:
    if given.legal_class == "commercial":
        hint = (
            "Commercial mail is not sent through Troth: the promise EML-13 is that all mail is transactional. If "
            "people get it because of something they have or asked for, it is relationship."
        )
        return [Problem("legal_class", "forbidden", hint)]
    problems = []
    if given.legal_class not in LEGAL_CLASSES:
        problems.append(Problem("legal_class", "unknown", f"The legal classes are {', '.join(LEGAL_CLASSES)}."))
    if given.lawful_basis and given.lawful_basis not in LAWFUL_BASES:
        problems.append(Problem("lawful_basis", "unknown", f"The lawful bases are {', '.join(LAWFUL_BASES)}."))
    elif given.legal_class == "required" and given.lawful_basis not in ("", "legal-obligation"):
        problems.append(
            Problem("lawful_basis", "class", "What the law requires is sent on the basis legal-obligation.")
        )
    if given.legal_class == "relationship" and not given.lawful_basis:
        hint = "A relationship message says its lawful basis itself: contract, legitimate-interest or consent."
        problems.append(Problem("lawful_basis", "missing", hint))
    elif given.legal_class == "relationship" and given.lawful_basis == "legal-obligation":
        problems.append(Problem("lawful_basis", "class", "What the law requires has the class required."))
    return problems


def _reply_problems(text: str) -> list[Problem]:
    if not text:
        return []
    try:
        parse_mailbox(text)
    except AddressError as wrong:
        return [Problem("reply_to", wrong.code, wrong.hint)]
    return []


def pathway_problems(field: str, targeting: object) -> list[Problem]:
    """{} or {"pathways": [...]}, of the known ones, at least one."""
    if targeting == {}:
        return []
    pathways = targeting.get("pathways") if isinstance(targeting, dict) and len(targeting) == 1 else None
    if not isinstance(pathways, list) or not pathways or any(each not in PATHWAYS for each in pathways):
        hint = f'Targeting is {{}} or {{"pathways": [...]}} with at least one of {", ".join(PATHWAYS)}.'
        return [Problem(field, "shape", hint)]
    return []


def code_problems(code: str) -> list[Problem]:
    if _CODE.match(code):
        return []
    return [Problem("code", "grammar", "A code is 2 to 63 of a-z, 0-9 and -, the first one a letter.")]


def _sender_problems(sender: Sender) -> list[Problem]:
    """An address whose written form is its normal one, so that `from` can be compared with it."""
    try:
        address = parse_address(sender.address)
        Mailbox(sender.name, address)
    except AddressError as wrong:
        return [Problem("sender.name" if wrong.code == "name" else "sender.address", wrong.code, wrong.hint)]
    if address.addr_spec != sender.address or address.normal != sender.address:
        return [Problem("sender.address", "form", f"Write it as {address.normal}.")]
    return []
