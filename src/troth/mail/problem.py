"""Before the river: what is wrong with a proposed template or a submission's data, in words.

Checks that can find several faults return a list of these instead of raising at the first.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One fault: where it is, a stable code for programs, and a sentence that says what to do."""

    field: str
    code: str
    hint: str
