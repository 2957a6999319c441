"""Four eyes, kind `category`: a notification type, which owns its sender, its legal class and its own limits."""

import re
from typing import Any

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.approvals.standing import conflicts, document_problems, standing
from troth.control.audit.refusals import Problem
from troth.mail.address import AddressError, parse_address
from troth.mail.mailbox import Mailbox

LEGAL_CLASSES = ("transactional", "required")
_CODE = re.compile(r"[a-z][a-z0-9-]{1,62}\Z")


class Sender(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    address: str


class Category(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`required` notices are those that the law asks for; `raw` permits content without a template."""

    name: str
    purpose: str
    sender: Sender
    legal_class: str
    raw: bool = False
    policy: dict[str, Any] = {}
    retired: bool = False


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Category)
    problems = code_problems(asked.code) + _sender_problems(given.sender)
    for name in ("name", "purpose"):
        if not getattr(given, name).strip():
            problems.append(Problem(name, "empty", "Recipients read this: fill it in."))
    if given.legal_class not in LEGAL_CLASSES:
        problems.append(Problem("legal_class", "unknown", f"The legal classes are {', '.join(LEGAL_CLASSES)}."))
    problems += document_problems(given.policy)
    if problems or given.retired:
        return problems
    return conflicts(standing(asked.connection, asked.tenant).with_category(asked.code, asked.artefact))


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
