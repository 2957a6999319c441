"""Claims: whether our own SPF, which every domain's record leads to, names the addresses that mail leaves from.

A term that only a receiver can weigh (a, mx, ptr, exists) may name them: then nothing is said.
"""

import asyncio
from ipaddress import ip_address

from troth.control.trust.found import Findings
from troth.control.trust.look import Look
from troth.mail.domain_auth import MAX_ASKED, followed
from troth.mail.domain_auth.spf_record import Directive, directive
from troth.outside.dns import LookupFailed

_UNSAID = frozenset({"a", "mx", "ptr", "exists"})


def names_us(findings: Findings, look: Look) -> None:
    """Each sending address is in a network that it lets in."""
    mechanism, addresses = look.outside.spf_mechanism, look.outside.addresses
    if not mechanism or not addresses:
        return
    records = look.once("own spf", lambda: asyncio.run(_records(look, f"v=spf1 {mechanism}")))
    if isinstance(records, LookupFailed):
        findings.old.append(f"our own SPF cannot be looked up now: {records.reason}")
        return
    terms = [read for text in records for term in text.split()[1:] if (read := directive(term))]
    if not any(term.name in _UNSAID for term in terms):
        left = [each for each in addresses if not _lets_in(terms, each)]
        findings.take(f"our own SPF ({mechanism}) does not name the sending address {each}" for each in left)


def _lets_in(terms: list[Directive], address: str) -> bool:
    own = ip_address(address)
    return any(
        term.qualifier == "+" and (term.name == "all" or (term.network is not None and own in term.network))
        for term in terms
    )


async def _records(look: Look, root: str) -> list[str] | LookupFailed:
    """The mechanism as a record, and every one that it leads to."""
    asked: set[str] = set()
    found, waiting = [root], list(followed((root,)))
    while waiting and len(asked) < MAX_ASKED:
        name = waiting.pop(0)
        if name in asked:
            continue
        asked.add(name)
        shown = await look.outside.resolver.txt(name)
        if isinstance(shown, LookupFailed):
            return shown
        found += [text for text in shown.values if text.lower().startswith("v=spf1")]
        waiting.extend(followed(shown.values))
    return found
