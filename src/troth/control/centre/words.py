"""The trust centre: its own words in each language, from words/*.toml. What policy says stays English."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = ("en", "es", "de")
_SAFE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Words:
    """`told`: section -> key -> words; templates read it as `w.page.title`."""

    code: str
    told: Mapping[str, Any]

    def say(self, section: str, key: str, **given: object) -> str:
        text: str = self.told[section][key]
        return _SAFE.sub(lambda found: str(given[found[1]]), text)

    def many(self, section: str, key: str, n: int, /, **given: object) -> str:
        """The form for one or for many; `n` is given to it."""
        return self.say(section, f"{key}_{'one' if n == 1 else 'many'}", **{"n": n, **given})

    def day(self, when: datetime | date) -> str:
        """23 November 2026; a moment's day in UTC."""
        there = when.astimezone(UTC).date() if isinstance(when, datetime) else when
        month = self.told["months"].split()[there.month - 1]
        return _SAFE.sub(
            lambda found: str({"d": there.day, "month": month, "y": there.year}[found[1]]), self.told["day"]
        )

    def moment(self, when: datetime, today: datetime | None = None) -> str:
        """23 November 2026, 02:10 UTC; without the day where it is today's."""
        there = when.astimezone(UTC)
        clock = f"{there:%H:%M} UTC"
        if today is not None and there.date() == today.astimezone(UTC).date():
            return clock
        return f"{self.day(there)}, {clock}"

    def listed(self, parts: list[str]) -> str:
        """One, two and three."""
        return f" {self.told['and']} ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


def words(code: str) -> Words:
    """Those of a language; English for one that there is not."""
    return _read(code if code in LANGUAGES else LANGUAGES[0])


@cache
def _read(code: str) -> Words:
    return Words(code, table(f"words/{code}.toml"))


@cache
def table(name: str) -> dict[str, Any]:
    """One of this room's TOML files."""
    return tomllib.loads((files("troth.control.centre") / name).read_text(encoding="utf-8"))
