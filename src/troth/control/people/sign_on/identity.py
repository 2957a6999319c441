"""Signing on: somebody as their firm's provider named them, and whether the firm may speak for that address."""

from collections.abc import Collection
from dataclasses import dataclass, field

from troth.control.people.sign_on.refusing import NotSignedOn
from troth.mail.address import Address, AddressError, parse_address

_LONGEST_NAME = 120  # characters


@dataclass(frozen=True, slots=True)
class Identity:
    """`address` is one of the bound domains; `second`: the provider says that it saw a second factor."""

    address: Address = field(repr=False)
    name: str = field(repr=False)
    second: bool


def identity(address: object, name: object, *, second: bool, domains: Collection[str]) -> Identity:
    """Raise NotSignedOn unless the address is whole and of a domain that is bound to this client."""
    if not isinstance(address, str) or not address.strip():
        raise NotSignedOn(
            "the provider named no e-mail address", "Your provider did not say what your e-mail address is."
        )
    try:
        read = parse_address(address.strip())
    except AddressError as wrong:
        raise NotSignedOn(f"the provider's e-mail address cannot be used ({wrong.code})") from None
    if read.domain not in domains:
        raise NotSignedOn(
            f"an address of {read.domain}, which is not bound to this client",
            "Your provider gave an address of a domain that your firm has not bound to this sign-on.",
        )
    return Identity(read, _name(name, read), second)


def _name(given: object, address: Address) -> str:
    """On one line, without control signs; else the address's own local part."""
    text = (
        " ".join("".join(sign if sign.isprintable() else " " for sign in given).split())
        if isinstance(given, str)
        else ""
    )
    return text[:_LONGEST_NAME] or address.local
