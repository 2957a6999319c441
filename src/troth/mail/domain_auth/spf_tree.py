"""What the gate's view of SPF adds when a record's includes were looked up too: the look-ups that receivers count
(RFC 7208 section 4.6.4), and includes that break the whole record (section 5.2).

Pure: a tree maps each name that was asked to its TXT records; a name left out was not asked.
"""

import re
from collections.abc import Mapping

from troth.mail.domain_auth.finding import Finding

MAX_LOOKUPS = 10
MAX_ASKED = 24  # names of a tree that are asked at all: a record that needs more is beyond its limit anyway

_COUNTS = re.compile(r"[+?~-]?(?:(?:include|exists):\S+|(?:a|mx|ptr)(?:[:/]\S*)?)\Z", re.IGNORECASE)
_FOLLOWED = re.compile(r"(?:[+?~-]?include:|redirect=)([a-z0-9._-]+)\Z", re.IGNORECASE)
_ALL = re.compile(r"[+?~-]?all\Z", re.IGNORECASE)
_REDIRECT = re.compile(r"redirect=\S+\Z", re.IGNORECASE)

type Tree = Mapping[str, tuple[str, ...]]


def followed(records: tuple[str, ...]) -> tuple[str, ...]:
    """The names that a receiver goes on to, in order; those made of macros depend on the message and are left out."""
    return tuple(found[1].lower().removesuffix(".") for term in _terms(records) if (found := _FOLLOWED.match(term)))


def lookups(tree: Tree, name: str, *, above: tuple[str, ...] = ()) -> int:
    """Look-ups that evaluating a name's record may take, includes included; each time round a loop is one too many."""
    if name in above:
        return MAX_LOOKUPS + 1
    total = 0
    for term in _terms(tree.get(name, ())):
        total += bool(_COUNTS.match(term)) or bool(_REDIRECT.match(term))
        found = _FOLLOWED.match(term)
        if found and total <= MAX_LOOKUPS:
            total += lookups(tree, found[1].lower().removesuffix("."), above=(*above, name))
    return total


def tree_fault(tree: Tree, name: str) -> Finding | None:
    """What breaks a record that reads well by itself; None: nothing does."""
    for target in followed(tree.get(name, ())):
        records = _spf(tree.get(target, ()))
        if target in tree and len(records) != 1:
            why = "has no SPF record" if not records else f"has {len(records)} SPF records"
            sentence = (
                f'Remove "include:{target}" from the SPF record at {name}, or correct its name: {target} {why}, '
                "which makes receivers give up on yours (permerror)."
            )
            return Finding(False, "spf.include", sentence, tree[name])
    total = lookups(tree, name)
    if total > MAX_LOOKUPS:
        sentence = (
            f"Shorten the SPF record at {name}: with what its includes look up in turn it needs "
            f"{'a loop of' if _loops(tree, name) else total} look-ups, {MAX_LOOKUPS} may be (permerror)."
        )
        return Finding(False, "spf.lookups", sentence, tree[name])
    return None


def _loops(tree: Tree, name: str, above: tuple[str, ...] = ()) -> bool:
    return name in above or any(_loops(tree, each, (*above, name)) for each in followed(tree.get(name, ()))[:MAX_ASKED])


def _terms(records: tuple[str, ...]) -> list[str]:
    """The terms of the one record, up to its "all": nothing behind that is evaluated."""
    found = _spf(records)
    terms = found[0].split()[1:] if len(found) == 1 else []
    end = next((n for n, term in enumerate(terms) if _ALL.match(term)), len(terms))
    return terms[:end]


def _spf(records: tuple[str, ...]) -> list[str]:
    return [record for record in records if re.match(r"v=spf1(?: |\Z)", record, re.IGNORECASE)]
