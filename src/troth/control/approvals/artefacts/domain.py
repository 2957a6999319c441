"""Four eyes, kind `domain`: a sending domain and the selector of its DKIM key."""

import re

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.mail.address import AddressError, parse_address

_SELECTOR = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\Z")


class Domain(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    selector: str
    retired: bool = False


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Domain)
    problems = name_problem("name", given.name)
    if not _SELECTOR.match(given.selector):
        problems.append(Problem("selector", "grammar", "A selector is one label of a-z, 0-9 and -."))
    if asked.code != given.name:
        problems.append(Problem("code", "differs", "A domain's code is its name."))
    return problems


def name_problem(field: str, name: str) -> list[Problem]:
    """Empty for a domain name in lower-case A-label form that mail could come from."""
    try:
        if parse_address(f"postmaster@{name}").domain == name:
            return []
    except AddressError as wrong:
        return [Problem(field, "grammar", wrong.hint)]
    return [Problem(field, "grammar", "Write the domain in lower case, international labels as xn--...")]
