"""Submission, registering: what an address must be before anything is written: its form, its domain's mail exchanger,
role and disposable names as the policy says. A slip of the hand is answered with what was probably meant.
"""

from collections.abc import Iterable

from troth.flow.submission.problem import Problem
from troth.mail.address import Address
from troth.mail.inspect import Inspection, Reason, Wanted, inspect
from troth.outside.dns import LookupFailed, Resolver
from troth.outside.mail_hosts import MailHost, mail_hosts
from troth.rules.policy import Policy

_AGAIN = 30  # seconds
_SLUGS = {"smtputf8": "smtputf8-unsupported", "disposable": "disposable-address", "role": "role-address"}


def inspected(text: str, policy: Policy) -> Inspection:
    """The address, accepted by the policy; Problem for what is not, with what was probably meant."""
    recipients = policy.recipients
    found = inspect(text.strip(), Wanted(disposable=recipients.disposable == "take", roles=recipients.roles == "take"))
    if found.reasons:
        raise _refused(found.reasons[0], found)
    return found


def _refused(reason: Reason, found: Inspection) -> Problem:
    problem = Problem(_SLUGS.get(reason.code, "address-invalid"), reason.sentence, "email")
    return _meant(problem, found)


def _meant(problem: Problem, found: Inspection) -> Problem:
    """A proposal, in a member of its own and at the head of the sentence: the likeliest way out."""
    if found.suggestion is not None and found.suggestion.isprintable():
        problem.suggestion = found.suggestion
        problem.sentence = f"Did you mean {found.suggestion}? {problem.sentence}"
    return problem


async def look_up(resolver: Resolver, found: Iterable[Inspection]) -> dict[str, MailHost | LookupFailed]:
    """Where the domains' mail goes, each asked once."""
    return await mail_hosts(resolver, (_of(one).domain for one in found))


def reachable(found: Inspection, hosts: dict[str, MailHost | LookupFailed]) -> Address:
    """The address, whose domain takes mail; Problem where it takes none, or where the DNS does not say."""
    address = _of(found)
    host = hosts[address.domain]
    if isinstance(host, LookupFailed):
        sentence = f"The DNS does not answer for {address.domain} just now, so nothing was registered; send it again."
        raise Problem("domain-unresolved", sentence, "email", retry_after=_AGAIN)
    if host is MailHost.NULL_MX:
        sentence = f"{address.domain} says in the DNS that it takes no mail (null MX); use another address."
        raise _meant(Problem("domain-takes-no-mail", sentence, "email"), found)
    if host is MailHost.NONE:
        sentence = f"{address.domain} has neither an MX nor an address record; check its spelling."
        raise _meant(Problem("domain-takes-no-mail", sentence, "email"), found)
    return address


def _of(found: Inspection) -> Address:
    assert found.sendable is not None
    return found.sendable
