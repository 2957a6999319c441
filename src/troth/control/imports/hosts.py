"""Imports: whether the domains of a file's addresses take mail (MX, RFC 5321 5.1; null MX, RFC 7505), each asked once.

A resolver that cannot say makes nothing good and nothing bad: while it answers nobody, the whole file waits; when it is
one domain's own servers that do not answer, that domain's lines are left out, and say so.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from troth.control.imports.importer import Stopped, Unfit, Waits
from troth.outside.dns import LookupFailed, Resolver
from troth.outside.mail_hosts import MailHost, mail_host, mail_hosts

KNOWN = 100_000  # domains that are remembered of one file; the oldest go first
_GROUP = 64  # domains between two looks at whether to go on
_SILENT = 32  # domains in a row without an answer: is it they, or the resolver?
_AWAY = "The DNS does not answer just now, so no domain can be looked up: this goes on by itself when it does."
_REFUSED = {
    MailHost.NULL_MX: ("domain-takes-no-mail", "The domain says in the DNS that it takes no mail (null MX)."),
    MailHost.NONE: ("domain-takes-no-mail", "The domain has neither an MX nor an address record: check its spelling."),
}
_UNKNOWN = (
    "domain-unresolved",
    "The DNS does not answer for this domain, so it is neither good nor bad: import this line again later.",
)


class Hosts:
    """One file's look at the DNS. `stopped` is asked between groups of domains."""

    def __init__(self, resolver: Resolver, stopped: Callable[[], bool]) -> None:
        self._resolver, self._stopped = resolver, stopped
        self._known: dict[str, MailHost | LookupFailed] = {}
        self._silent = 0  # in a row
        self._answered = ""  # a domain that the resolver knew something of

    def ask(self, domains: Iterable[str]) -> None:
        """Waits when the resolver answers for nobody any more; Stopped when the process ends."""
        if len(self._known) > KNOWN:
            self._known = dict(islice(self._known.items(), KNOWN // 2, None))
        new = sorted({each for each in domains if each not in self._known})
        for at in range(0, len(new), _GROUP):
            if self._stopped():
                raise Stopped
            self._group(new[at : at + _GROUP])
        if self._silent and not self._answered and self._is_away():
            raise Waits(_AWAY)

    def unfit(self, domain: str) -> Unfit | None:
        """Why no mail can go there, as far as `ask` was told."""
        found = self._known[domain]
        if isinstance(found, LookupFailed):
            return Unfit(*_UNKNOWN)
        return Unfit(*_REFUSED[found]) if found in _REFUSED else None

    def _group(self, some: list[str]) -> None:
        found = _run(mail_hosts(self._resolver, some))
        failed = [name for name, host in found.items() if isinstance(host, LookupFailed)]
        if failed:  # a packet may be lost
            found |= _run(mail_hosts(self._resolver, failed))
        for name, host in found.items():
            self._count(name, host)
        if self._silent >= _SILENT and self._is_away():
            raise Waits(_AWAY)
        self._known |= found

    def _count(self, name: str, host: MailHost | LookupFailed) -> None:
        silent = isinstance(host, LookupFailed)
        self._silent = self._silent + 1 if silent else 0
        self._answered = self._answered if silent else name

    def _is_away(self) -> bool:
        """Whether it does not even know a name any more that it knew, or, if it never did, the root."""
        away = isinstance(_run(mail_host(self._resolver, self._answered or ".")), LookupFailed)
        self._silent = self._silent if away else 0
        return away


def _run[T](asking: Coroutine[Any, Any, T]) -> T:
    """On a thread of its own, so that it does not matter whether the caller stands in an event loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asking).result()
