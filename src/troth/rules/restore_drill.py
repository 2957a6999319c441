"""The house of duties, a restore drill: what one measured, as the JSON that `troth restore --drill` writes and that is
handed in as evidence of kind restore-drill.

    {"restore_drill": 1, "lost_minutes": 12, "took_minutes": 3, "verified": true}

`lost_minutes`: how much of the newest data the backup had not; `took_minutes`: from the beginning until the service was
back; `verified`: the restored ledger proved whole.
"""

import json
import math
from dataclasses import asdict, dataclass
from datetime import timedelta

_VERSION = 1
_MOST = 525_600  # minutes: a year
LONGEST = 64 * 1024  # octets of such a file
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Drill:
    lost_minutes: int
    took_minutes: int
    verified: bool

    def document(self) -> dict[str, object]:
        return {"restore_drill": _VERSION, **asdict(self)}


def measured(lost: timedelta, took: timedelta, *, verified: bool) -> Drill:
    """Begun minutes count whole: a drill never looks better than it was."""
    return Drill(_minutes(lost), _minutes(took), verified)


def read(content: bytes) -> Drill:
    """Raise ValueError in words."""
    try:
        found = json.loads(content) if len(content) <= LONGEST else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or found.get("restore_drill") != _VERSION:
        raise ValueError("it is no record of a drill as `troth restore --drill` writes one")
    return Drill(_number(found, "lost_minutes"), _number(found, "took_minutes"), found.get("verified") is True)


def beyond(drill: Drill, rpo: int, rto: int) -> tuple[str, ...]:
    """What of it is not within the objectives, which are minutes; a drill must be below each."""
    said = (
        (drill.lost_minutes < rpo, f"it lost {drill.lost_minutes} minutes of data, and less than {rpo} is promised"),
        (drill.took_minutes < rto, f"it took {drill.took_minutes} minutes, and less than {rto} is promised"),
        (drill.verified, "what was restored did not prove whole"),
    )
    return tuple(sentence for kept, sentence in said if not kept)


def _minutes(span: timedelta) -> int:
    return min(max(0, math.ceil(span / _MINUTE)), _MOST)


def _number(found: dict[str, object], name: str) -> int:
    value = found.get(name)
    if type(value) is not int or not 0 <= value <= _MOST:
        raise ValueError(f"its {name} is no whole number of minutes")
    return value
