"""The ground of control: what the database refuses, in words that a person can act on.

Refused(Exception)          permanent: `sentence` says why; `field` names the place, where there is one
'-- Invalid                 several things are wrong at once: `.problems`
StoreAway                   temporary: the database cannot be asked
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
from django.db import Error as DjangoError

# What our own functions raise on purpose; any other state is a fault of ours and is not dressed up.
_SPOKEN = {"42501", "28000", "22023", "55000"}
_KNOWN = {
    "23505": "There is one of that name already.",
    "23503": "It names something that is not there.",
    "23514": "A value is outside of what the database allows.",
}


class Refused(Exception):  # noqa: N818 - reads as the sentence it raises
    """Nothing was done."""

    temporary = False

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class StoreAway(Exception):  # noqa: N818 - reads as the sentence it raises
    """Nothing was done; the same call may work later."""

    temporary = True


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with what was given: where, a stable code, and what to do."""

    field: str
    code: str
    hint: str


class Invalid(Refused):
    """What was given cannot stand; nothing reached the database."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{each.field}: {each.hint}" for each in problems))
        self.problems = tuple(problems)


@contextmanager
def refusals() -> Iterator[None]:
    """Turn the database's refusals into sentences."""
    try:
        yield
    except DjangoError as wrapped:  # a page's query: Django puts its own error round the driver's
        if isinstance(trouble := wrapped.__cause__, psycopg.Error) and (said := _refused(trouble)):
            raise said from trouble
        raise  # what is away is the middleware's to say
    except psycopg.Error as trouble:
        if said := _refused(trouble):
            raise said from trouble
        if isinstance(trouble, psycopg.OperationalError):
            raise StoreAway(f"The database cannot be asked: {trouble}") from trouble
        raise


def _refused(trouble: psycopg.Error) -> Refused | None:
    """None where it is no refusal."""
    if trouble.sqlstate in _SPOKEN:  # 55000 is operational to psycopg
        return Refused(_sentence(trouble))
    if trouble.sqlstate in _KNOWN:
        return Refused(f"{_KNOWN[trouble.sqlstate]} ({_sentence(trouble)})")
    return None


def _sentence(trouble: psycopg.Error) -> str:
    words = trouble.diag.message_primary or str(trouble)
    return f"{words[:1].upper()}{words[1:].rstrip('.')}."
