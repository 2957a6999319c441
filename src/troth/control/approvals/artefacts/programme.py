"""Four eyes, kind `programme`: a named instance of a profile, with the domain of its pages and system mail, and whom to
tell of abuse, of weaknesses and of one's own data, and who else handles that data.
"""

import re

import msgspec

from troth.control.approvals.artefacts import subprocessor
from troth.control.approvals.artefacts.domain import name_problem
from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.mail.address import AddressError, parse_address
from troth.rules.certificates import claimed
from troth.rules.profile import PROFILES

CODE = re.compile(r"[a-z][a-z0-9-]{1,30}\Z")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}\Z")  # BCP 47, as much as security.txt needs of it
_URL = re.compile(r"https://[!-~]{4,500}\Z")
_TELEPHONE = re.compile(r"\+[1-9][0-9]{0,2}(?: [0-9]{1,14}){1,6}\Z", re.ASCII)
_UNPRINTED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_MOST = 10
_LONG = 300  # characters


class Contacts(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Addresses, "" for the installation's own desks. `encryption` and `policy`: pages that security.txt names.
    `postal`: a postal address, line by line; `telephone`: in the international form.
    """

    abuse: str = ""
    security: str = ""
    privacy: str = ""
    languages: list[str] = msgspec.field(default_factory=list)
    encryption: str = ""
    policy: str = ""
    postal: str = ""
    telephone: str = ""


class Programme(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    profile: str
    domain: str
    contacts: Contacts | None = None
    subprocessors: list[subprocessor.Subprocessor] | None = None


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Programme)
    problems = code_problems(asked.code) + name_problem("domain", given.domain)
    if not given.name.strip():
        problems.append(Problem("name", "empty", "Give the programme a name."))
    if given.profile not in PROFILES:
        problems.append(Problem("profile", "unknown", f"The profiles are {', '.join(PROFILES)}."))
    problems += _contact_problems(given.contacts) if given.contacts else []
    return problems + subprocessor.problems(given.subprocessors or ()) + _claims(given)


def _claims(given: Programme) -> list[Problem]:
    """What the public pages say of it names no certificate: of none is there evidence (CPL-6)."""
    fields = {"name": given.name, "domain": given.domain}
    if given.contacts:
        fields |= {f"contacts.{name}": str(value) for name, value in msgspec.to_builtins(given.contacts).items()}
    for n, each in enumerate(given.subprocessors or ()):
        fields |= {f"subprocessors.{n}.{name}": value for name, value in msgspec.to_builtins(each).items()}
    return [problem for path, value in fields.items() for problem in certificates(value, path)]


def certificates(words: str, field: str = "name") -> list[Problem]:
    """Of a certificate that is named, one problem."""
    hint = "This speaks of {}: the public pages claim no certificate, since none is held as evidence. Leave it out."
    return [Problem(field, "certificate", hint.format(name)) for name in claimed(words)[:1]]


def code_problems(code: str) -> list[Problem]:
    """What the table's CHECK says, in words."""
    if CODE.match(code):
        return []
    return [Problem("code", "grammar", "A code is 2 to 31 of a-z, 0-9 and -, the first one a letter.")]


def _contact_problems(given: Contacts) -> list[Problem]:
    problems = []
    for name in ("abuse", "security", "privacy"):
        if address := getattr(given, name):
            problems += _address_problems(f"contacts.{name}", address)
    if len(given.languages) > _MOST or not all(_LANGUAGE.match(each) for each in given.languages):
        hint = f"Write up to {_MOST} language tags, such as en or pt-BR."
        problems.append(Problem("contacts.languages", "grammar", hint))
    if len(given.postal) > _LONG or _UNPRINTED.search(given.postal):
        hint = f"Write the postal address in up to {_LONG} characters."
        problems.append(Problem("contacts.postal", "grammar", hint))
    if given.telephone and not _TELEPHONE.match(given.telephone):
        problems.append(Problem("contacts.telephone", "grammar", "Write it as +44 20 7946 0000."))
    for name in ("encryption", "policy"):
        if (url := getattr(given, name)) and not _URL.match(url):
            problems.append(Problem(f"contacts.{name}", "grammar", "Write an address that begins with https://."))
    return problems


def _address_problems(field: str, address: str) -> list[Problem]:
    try:
        parse_address(address)
    except AddressError as wrong:
        return [Problem(field, "grammar", wrong.hint)]
    return []
