"""Gate check: SPF, DKIM and an effective DMARC p=reject hold for the sender's domain (claim EML-3).

A changed record closes at once. While DNS does not answer, the last good look stands for the policy's grace, then
closes.
Way out: publish the records that the domain's page shows; the next look opens it.
"""

from datetime import datetime, timedelta

from troth.rules.decision import Saw, Verdict, accept, refuse, unknown
from troth.rules.facts import Domain, Facts
from troth.rules.policy import Policy

CHECK = "domain_ready"
CODES = ("domain-unready", "domain-unverifiable", "store-unavailable")
_RETRY_SECONDS = 300


def check(facts: Facts) -> Verdict:
    domain, category = facts.domain, facts.category
    if facts.policy is None or category is None:
        return unknown(CHECK, "the sender's domain")
    if domain is None or domain.name.casefold() != category.sender_domain.casefold():
        return _unready(category.sender_domain, ("never-looked-at",))
    if domain.problems or not (domain.ready or domain.lookup_failed):
        return _unready(domain.name, domain.problems)
    return _fresh(domain, facts.policy, facts.now)


def _unready(name: str, problems: tuple[str, ...]) -> Verdict:
    sentence = f"The domain {name} is not ready to send: {', '.join(problems) or 'its records do not hold'}."
    way_out = " Publish the records that its page shows; it opens by itself."
    return refuse(CHECK, "domain-unready", sentence + way_out, {"domain": name, "problems": problems}, at="from")


def _fresh(domain: Domain, policy: Policy, now: datetime) -> Verdict:
    good_at = domain.last_good_at if domain.lookup_failed else domain.checked_at
    grace = timedelta(minutes=policy.domain.grace_minutes)
    saw: Saw = {
        "domain": domain.name,
        "lookup_failed": domain.lookup_failed,
        "grace_minutes": policy.domain.grace_minutes,
    }
    if good_at is not None and now - good_at <= grace:
        age = int((now - good_at).total_seconds())
        return accept(CHECK, f"{domain.name} was good {max(age, 0)} seconds ago.", {"age_seconds": age, **saw})
    sentence = (
        f"DNS has not shown the records of {domain.name} for over {policy.domain.grace_minutes} minutes, so nothing is "
        "sent from it. It opens by itself when they are seen again."
    )
    return refuse(CHECK, "domain-unverifiable", sentence, saw, at="from", retry_after=_RETRY_SECONDS)
