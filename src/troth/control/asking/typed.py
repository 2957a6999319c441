"""Asking: what somebody types into the public forms, and what is wrong with it. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from troth.mail.address import AddressError, parse_address

NAME, FIRM, ADDRESS, WORDS = 100, 120, 300, 4_000  # characters
_MOST = {"name": NAME, "firm": FIRM, "address": ADDRESS, "words": WORDS}
_UNTYPED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Typed:
    """`wants`: kinds of documents; `agreed`: the digest of the agreement that was shown and ticked, in hex."""

    name: str = ""
    firm: str = ""
    address: str = ""
    words: str = ""
    wants: tuple[str, ...] = ()
    agreed: str = ""


def read(given: Mapping[str, str], wants: Sequence[str] = ()) -> Typed:
    """One character more than may be is kept of each, to be told of."""
    text = {name: _UNTYPED.sub("", given.get(name, "").replace("\r\n", "\n")).strip()[: most + 1]
            for name, most in _MOST.items()}  # fmt: skip
    return Typed(**text, wants=tuple(wants)[:20], agreed=given.get("agreed", "")[:64])


def faults(kind: str, typed: Typed, offered: Sequence[str] = (), agreement: str = "") -> dict[str, str]:
    """By the field's name, in the form's order. `agreement`: the digest of the one in force."""
    found = _documents(typed, offered, agreement) if kind == "documents" else {}
    if not typed.name:
        found["name"] = "Write your name, so that we know whom we answer."
    if kind == "documents" and not typed.firm:
        found["firm"] = "Write the name of the firm that you ask for."
    found |= _address(typed.address)
    if kind == "question" and not typed.words:
        found["words"] = "Write your question."
    for name, most in _MOST.items():
        if len(getattr(typed, name)) > most:
            found[name] = f"{most:,} characters are the most here; shorten it."
    order = ("wants", "name", "firm", "address", "words", "agreed")
    return {name: found[name] for name in order if name in found}


def _documents(typed: Typed, offered: Sequence[str], agreement: str) -> dict[str, str]:
    found = {}
    if not typed.wants or not set(typed.wants) <= set(offered):
        found["wants"] = "Choose at least one of the documents in the list."
    if typed.agreed != agreement:
        found["agreed"] = "Read the agreement and tick that you accept it: without it no document is sent."
    return found


def _address(text: str) -> dict[str, str]:
    if not text:
        return {"address": "Write your address: the answer is mailed there."}
    try:
        parse_address(text)
    except AddressError as wrong:
        return {"address": wrong.hint}
    return {}
