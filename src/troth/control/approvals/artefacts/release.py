"""Four eyes, kind `release`: a pause lifted, or a held message let go; the subject says which."""

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem


class Release(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing: the subject is all there is to say."""


def check(asked: Asked) -> list[Problem]:
    asked.read(Release)
    return []
