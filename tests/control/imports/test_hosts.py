"""A look at the DNS promises: each domain once, a lost packet made good, and silence told from an answer: one domain's
own servers from a resolver that is away.
"""

import pytest

from troth.control.imports import hosts
from troth.control.imports.hosts import Hosts
from troth.control.imports.importer import Stopped, Waits
from troth.outside.dns import Lookup, LookupFailed, Outcome


class Scripted:
    """A resolver that does not answer for `silent`, nor for the first `lost` questions; `asked`, in order."""

    def __init__(self, silent=lambda name: False, lost=0):
        self.silent, self.lost, self.asked = silent, lost, []

    async def mx(self, name):
        self.asked.append(name)
        if self.silent(name) or len(self.asked) <= self.lost:
            return LookupFailed(name, "a test")
        return Lookup(name, Outcome.FOUND, ((10, "mx.example"),))

    async def addresses(self, name):
        raise AssertionError(name)


def made(resolver, stopped=lambda: False):
    return Hosts(resolver, stopped)


def test_a_lost_packet_is_asked_for_again():
    resolver = Scripted(lost=1)
    found = made(resolver)
    found.ask(["a.example"])
    assert found.unfit("a.example") is None
    found.ask(["a.example"])
    assert resolver.asked == ["a.example"] * 2


def test_many_silent_domains_are_theirs_while_a_known_one_still_answers():
    found = made(Scripted(lambda name: name.startswith("x")))
    found.ask(["a.example"])
    found.ask([f"x{n}.example" for n in range(300)])
    assert {found.unfit(f"x{n}.example").code for n in range(300)} == {"domain-unresolved"}


def test_a_resolver_that_falls_silent_in_the_middle_is_waited_for():
    gone = []
    resolver = Scripted(lambda name: bool(gone))
    found = made(resolver)
    found.ask([f"a{n}.example" for n in range(100)])
    gone.append(True)
    with pytest.raises(Waits, match="DNS does not answer"):
        found.ask([f"b{n}.example" for n in range(5_000)])
    assert len(resolver.asked) < 300, "it is not asked for all of them"


def test_a_file_of_one_silent_domain_is_not_held_up_by_it():
    found = made(Scripted(lambda name: name == "x.example"))
    found.ask(["x.example"])
    assert found.unfit("x.example").code == "domain-unresolved"


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(hosts, "KNOWN", 100)
    resolver = Scripted()
    found = made(resolver)
    for n in range(10):
        names = [f"d{n}-{m}.example" for m in range(60)]
        found.ask(names)
        assert [found.unfit(name) for name in names] == [None] * 60
    assert len(resolver.asked) == 600


def test_a_process_that_ends_asks_no_more():
    with pytest.raises(Stopped):
        made(Scripted(), lambda: True).ask(["a.example"])
