"""Before a domain may send: the one SPF record that its owner can copy, which takes nothing from its other mail."""

import re
from collections.abc import Iterator

from troth.mail.domain_auth.spf_record import directive, lets_everyone, misses, spf

_SPF = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)", re.IGNORECASE)


def joined(records: tuple[str, ...], required: str) -> str:
    """The SPF records among these TXT records as one, with what is `required` before all else; without any, ours alone.

    A redirect becomes an include, what lets everyone send goes, and the end is the mildest of theirs. "": no record
    that holds comes of it, so a person has to look.
    """
    found = [record for record in records if _SPF.match(record)]
    if not found:
        return f"v=spf1 {required} -all"
    kept: dict[str, str] = {}
    ends = set()
    for record in found:
        *terms, end = _terms(record)
        ends.add(end)
        for term in terms:
            kept.setdefault(term.lower(), term)
    reached = tuple(read for read in map(directive, kept.values()) if read is not None)
    ours = [term for term in required.split() if misses(reached, term)]
    text = " ".join(["v=spf1", *ours, *kept.values(), "-all" if ends == {"-"} else "~all"])
    return text if spf((text,), required).ok else ""


def _terms(record: str) -> Iterator[str]:
    """What one record lets through or not, then the qualifier of its end; nothing after its `all` was ever asked."""
    target = ""
    for term in record.split(" ")[1:]:
        read, modifier = directive(term), _MODIFIER.fullmatch(term)
        if read is not None and read.name == "all":
            yield read.qualifier
            return
        if modifier is not None and modifier[1].lower() == "redirect":
            target = modifier[2]
        elif term and (read is None or not lets_everyone((read,))):
            yield term.removeprefix("+")  # one that is not valid stays, and makes the whole not hold
    if target:
        yield f"include:{target}"
    yield "~"
