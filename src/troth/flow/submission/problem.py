"""Submission's refusals: one exception, raised anywhere in the door, that becomes an answer in one place.

Problem(Exception)   slug names a registered type (rules/problems.py), whose `again` says whether it is temporary
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from troth.flow.gate.asks import Refusal
from troth.rules.facts import FieldProblem, Rate
from troth.rules.problems import PROBLEMS, ProblemType


@dataclass(eq=False)
class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """Why a request is refused. sentence: for the caller, saying the way out; retry_after: seconds."""

    slug: str
    sentence: str
    field: str | None = None
    errors: Sequence[FieldProblem] = ()
    retry_after: int | None = None
    verdicts: Sequence[Mapping[str, Any]] = ()
    rates: Sequence[Rate] = ()
    at: datetime | None = None
    index: int | None = None
    allow: Sequence[str] = ()
    suggestion: str | None = None
    logged: bool = False

    def __post_init__(self) -> None:
        super().__init__(self.slug)

    @property
    def type(self) -> ProblemType:
        return PROBLEMS[self.slug]

    def inside(self, place: str) -> "Problem":
        """The same problem of a part, its field named from the whole: `[3].to`."""
        if self.field is not None:
            self.field = f"{place}.{self.field}" if self.field else place
        return self


def of_gate(refusal: Refusal, rates: Sequence[Rate] = (), at: datetime | None = None) -> Problem:
    """The gate's refusal as the door's problem; the gate has logged it."""
    code = refusal.code if refusal.code in PROBLEMS else "internal-error"
    return Problem(
        code, refusal.sentence, refusal.field, retry_after=refusal.retry_after, verdicts=refusal.verdicts,
        rates=rates, at=at, logged=True,
    )  # fmt: skip


def store_unavailable() -> Problem:
    """Nothing was accepted, since nothing could be asked or written."""
    return Problem(
        "store-unavailable", "We cannot reach our store just now, so nothing was accepted. Send the same request again."
    )
