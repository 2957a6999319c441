"""Four eyes, kind `release`: a pause lifted, or held mail let go or refused; the subject says which pause or message.

Of a pause's held mail: `held` is what becomes of it, of all of it or of what the lists name; `lift` says whether the
pause ends with that, and is meant where `held` is left out.
"""

from typing import Literal
from uuid import UUID

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem

MOST = 500  # ids of one list
_LISTS = ("messages", "categories", "templates")


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing at all: the subject is let go."""

    held: Literal["release", "refuse"] | None = None
    lift: bool | None = None
    messages: list[UUID] | None = None
    categories: list[UUID] | None = None
    templates: list[UUID] | None = None


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Release)
    problems = []
    for name in _LISTS:
        ids = getattr(given, name)
        if ids is None:
            continue
        if given.held is None:
            problems.append(Problem(name, "no-act", "say in `held` whether this mail is released or refused"))
        elif not 1 <= len(ids) <= MOST:
            problems.append(Problem(name, "too-many", f"name 1 to {MOST}, or leave the list out for all"))
    if given.held is None and given.lift is False:
        hint = "decides nothing: say in `held` what becomes of the mail, or lift the pause"
        problems.append(Problem("lift", "nothing", hint))
    return problems
