"""Claims: the gate's chain, rehearsed: a message that it takes, changed in one thing that it must refuse.

The rules are the ones that this version's gate runs; the facts are made up, and nothing is written.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec

from troth.rules import facts as f
from troth.rules.chain import CHAIN, decide
from troth.rules.decision import Decision, Outcome
from troth.rules.policy import Policy

_TEXT, _FROM = "a1", "a@b.example"


def good(policy: Policy, now: datetime) -> f.Facts:
    """Facts of a message that the chain accepts under this policy."""
    pathway = next(iter(policy.recipients.pathways), None)
    return f.Facts(
        now=now,
        tenant=f.Tenant(_TEXT, "active", addressed=True),
        key=f.Key(_TEXT, "live", frozenset({"notice"})),
        category=f.Category("notice", "Notice", _TEXT, 1, approved=True, sender_addr=_FROM, sender_domain="b.example",
                            lawful_basis="contract", named=True),
        template=f.Template("notice", _TEXT, 1, approved=True, digest_matches=True),
        domain=f.Domain("b.example", ready=True, problems=(), checked_at=now, last_good_at=now),
        email=f.Email(_FROM, 1, 100, raw=False),
        recipient=f.Recipient("verified", None, pathway, now),
        suppression=f.CLEAR,
        opted_out=False,
        rates=tuple(_rates(now)),
        policy=policy,
    )  # fmt: skip


def _rates(now: datetime) -> Iterator[f.Rate]:
    for scope, window in (
        ("key", "hour"),
        ("tenant", "hour"),
        ("tenant", "day"),
        ("template", "hour"),
        ("recipient", "day"),
    ):
        yield f.Rate(scope, _TEXT, window, 10, 0, 1, now + timedelta(hours=1))


def rehearse(policy: Policy, now: datetime, cases: dict[str, dict[str, Any]]) -> Iterator[str]:
    """Each case is named by the code that must be told of it; yields what the chain does otherwise."""
    taken = good(policy, now)
    first = decide(taken)
    if first.outcome is not Outcome.ACCEPT:
        yield f"the gate's chain takes nothing at all: {first.deciding.code}"
    for code, changes in cases.items():
        answer = decide(msgspec.structs.replace(taken, **changes))
        if not _stops(answer, code):
            yield f"the gate's chain answers {answer.deciding.code} where it must say {code}"


def _stops(answer: Decision, code: str) -> bool:
    return answer.outcome in (Outcome.REFUSE, Outcome.SUPPRESS) and code in {
        verdict.code for verdict in answer.verdicts if verdict.outcome is answer.outcome
    }


def position(check: Any) -> int:
    """Where a check stands in the chain; -1 when it is not in it."""
    return CHAIN.index(check) if check in CHAIN else -1
