"""Domains, the form in which one is added: what was typed becomes a name in A-labels, or a sentence that says what to
type.
"""

from dataclasses import dataclass

from troth.mail.address import AddressError, parse_address

LONGEST = 2000  # characters of a reason
_NAME = 253
SELECTOR = "troth1"


@dataclass(frozen=True, slots=True)
class Wished:
    name: str
    reason: str


def read(typed: dict[str, str]) -> tuple[Wished, dict[str, str]]:
    """What is wished, and what is wrong by field."""
    faults = {}
    name, why = domain_name(typed["name"])
    if why:
        faults["name"] = why
    reason = typed["reason"].strip()
    if not reason:
        faults["reason"] = "Say why, for the person who approves."
    return Wished(name, reason), faults


def domain_name(text: str) -> tuple[str, str]:
    """The domain as the DNS has it, and why it is none ("": it is one). A pasted address or link gives its domain."""
    bare = text.strip().rstrip(".").lower()
    if "://" in bare:
        bare = bare.partition("://")[2].partition("/")[0].partition(":")[0]
    bare = bare.rpartition("@")[2]
    if not bare:
        return "", "Write the domain that mail is to come from, such as mail.example.com."
    if len(bare) > _NAME:
        return "", f"A domain name has at most {_NAME} characters."
    try:
        return parse_address(f"postmaster@{bare}").domain, ""
    except AddressError as wrong:
        return "", wrong.hint
