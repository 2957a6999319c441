"""The simulator's deciding: one client's emails in their order, each by the policy that is tried, with counters and an
anomaly watch of the simulation's own.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from troth.control.simulator.reading import Kind, Mail, Page, Told
from troth.control.simulator.tally import Tally
from troth.rules.decision import Outcome
from troth.rules.policy import Policy
from troth.rules.rates import slowed
from troth.rules.recount import Counters, Watch
from troth.rules.replay import ANOMALY, Result, State, decide_sort, limits, over, unusual

_REFUSE = int(Outcome.REFUSE)


@dataclass(frozen=True, slots=True)
class Made:
    """What this policy makes of one email by itself. slow: hourly limits were lowered for it."""

    kinds: list[Kind]
    results: list[Result]
    slow: bool
    taken: bool


@dataclass(slots=True)
class Decider:
    """Decides one client's pages, which come in order."""

    tally: Tally
    watch: Watch = field(default_factory=Watch)
    counters: Counters = field(default_factory=Counters)
    _policies: list[Policy | None] = field(default_factory=list)
    _caps: dict[tuple[int, bool], tuple[int, ...]] = field(default_factory=dict)
    _results: dict[tuple[int, int, str | None, bool], Result] = field(default_factory=dict)

    def page(self, page: Page, policies: Sequence[Policy | None]) -> None:
        """Decide everything on a page. policies: as its kinds number them."""
        self._policies, self._caps, self._results = list(policies), {}, {}
        self.tally.sealed += page.sealed
        self.tally.tests += page.tests
        for mails in _requests(page.mails):
            if len(mails) == 1:
                self._alone(mails[0], page.kinds)
            else:
                self._together(mails, page.kinds)

    def _alone(self, mail: Mail, kinds: Sequence[Kind]) -> None:
        made = self._mail(mail, kinds)
        self._settle(mail, then=mail.taken, now=made.taken)
        self._done(mail, made, then=mail.taken, now=made.taken)

    def _together(self, mails: Sequence[Mail], kinds: Sequence[Kind]) -> None:
        """Emails that stand or fall with one another. Each finds those before it counted, as the gate had them."""
        every = []
        for mail in mails:
            made = self._mail(mail, kinds)
            self._settle(mail, then=mail.taken, now=made.taken)
            every.append(made)
        before, after = all(mail.taken for mail in mails), all(made.taken for made in every)
        for mail, made in zip(mails, every, strict=True):
            self._settle(mail, then=made.taken, now=mail.taken)  # alone no more:
            self._settle(mail, then=before, now=after)
            self._done(mail, made, then=before, now=after)

    def _settle(self, mail: Mail, *, then: bool, now: bool) -> None:
        if then is not now:
            self.counters.settle((one.counts for one in mail.messages), mail.at // 1000, then=then, now=now)
            self.watch.settle(len(mail.messages), mail.at // 1000, then=then, now=now)

    def _done(self, mail: Mail, made: Made, *, then: bool, now: bool) -> None:
        self.tally.take(mail, made.kinds, made.results, slow=made.slow, then=then, now=now)

    def _mail(self, mail: Mail, kinds: Sequence[Kind]) -> Made:
        second, own = mail.at // 1000, [kinds[one.kind] for one in mail.messages]
        policy = self._policies[own[0].policy]
        paused, strange = self._watched(mail, own[0], policy)
        results = [
            self._one(one, kind, second, (paused, strange)) for one, kind in zip(mail.messages, own, strict=True)
        ]
        slow = policy is not None and slowed(paused, policy)
        return Made(own, results, slow, all(one.outcome != _REFUSE for one in results))

    def _watched(self, mail: Mail, kind: Kind, policy: Policy | None) -> tuple[str | None, bool]:
        """Who pauses sending: people as they did; an anomaly as the gate saw it where the policies say the same of it,
        else as this policy's own watch does. And whether this email makes one.
        """
        second = mail.at // 1000
        volume = self.watch.found(mail.volume, second)
        if kind.same_watch or policy is None or kind.paused not in (None, ANOMALY):
            return kind.paused, unusual(volume, policy)
        if self.watch.paused(volume, second, policy):
            return ANOMALY, False
        return None, unusual(self.watch.let_pass(volume, second), policy)

    def _one(self, one: Told, kind: Kind, second: int, watched: tuple[str | None, bool]) -> Result:
        policy, (paused, strange) = self._policies[kind.policy], watched
        found = over(self.counters.found(one.counts, second), self._limits(kind.policy, policy, paused))
        place = (one.kind, found, paused, strange)
        result = self._results.get(place)
        if result is None:
            result = self._results[place] = decide_sort(kind.sort, policy, State(found, paused, strange))
        return result

    def _limits(self, place: int, policy: Policy | None, paused: str | None) -> tuple[int, ...]:
        slow = policy is not None and slowed(paused, policy)
        caps = self._caps.get((place, slow))
        if caps is None:
            caps = self._caps[place, slow] = limits(policy, slow=slow)
        return caps


def _requests(mails: Sequence[Mail]) -> Iterator[list[Mail]]:
    """Emails in their order; those that stand or fall together where the first of them stands."""
    together: dict[int, list[Mail]] = {}
    for mail in mails:
        if mail.request:
            together.setdefault(mail.request, []).append(mail)
    for mail in mails:
        if not mail.request:
            yield [mail]
        elif mail.request in together:
            yield together.pop(mail.request)
