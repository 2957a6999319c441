"""API keys, the form: what is typed read into a key's scope, and what is wrong with it said at its field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

from troth.control.approvals.artefacts.api_key import MODES, network_problems
from troth.control.approvals.standing import Standing, resolved
from troth.control.audit.refusals import Problem

_LONGEST_NAME, _LONGEST_REASON = 80, 2000
_MOST_TYPED = 20_000
# where a problem of the artefact is shown
_FIELDS = {"name": "name", "categories": "categories", "networks": "networks", "mode": "mode", "expires_at": "days",
           "reason": "reason", "policy.limits.key_hour": "rate"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Bounds:
    """What policy gives a key here: days of life, hours beside its successor, messages an hour."""

    days: int
    overlap: int
    rate: int


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key may do. `days`: until it ends; `rate`: None for as much as the client's keys may."""

    name: str
    categories: list[str] | None
    mode: str
    networks: list[str]
    days: int
    rate: int | None
    reason: str

    def artefact(self, prefix: str, hashed: str, ends: datetime) -> dict[str, Any]:
        """As two people approve it; what is as usual is left out."""
        return {
            "name": self.name,
            "prefix": prefix,
            "hash": hashed,
            "categories": self.categories,
            "expires_at": ends.isoformat(),
            "policy": {"limits": {"key_hour": self.rate}} if self.rate is not None else {},
            **({"mode": self.mode} if self.mode != MODES[0] else {}),
            **({"networks": self.networks} if self.networks else {}),
        }


def bounds(here: Standing) -> Bounds | None:
    """None where no policy is in force, and so no key may be made."""
    policy = resolved(here)
    if policy is None:
        return None
    return Bounds(policy.access.key_days, policy.access.key_overlap_hours, policy.limits.key_hour)


def empty(given: Bounds) -> dict[str, Any]:
    """What the form of a new key shows first."""
    return {"name": "", "which": "some", "categories": [], "mode": "live", "networks": "", "days": str(given.days),
            "rate": "", "reason": ""}  # fmt: skip


def of_artefact(artefact: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """What the form shows for a key in force."""
    categories = artefact.get("categories")
    rate = artefact.get("policy", {}).get("limits", {}).get("key_hour")
    ends = datetime.fromisoformat(artefact["expires_at"])
    return {
        "name": artefact["name"],
        "which": "all" if categories is None else "some",
        "categories": list(categories or ()),
        "mode": artefact.get("mode", MODES[0]),
        "networks": "\n".join(artefact.get("networks", ())),
        "days": str(max((ends - now).days, 0)),
        "rate": "" if rate is None else str(rate),
        "reason": "",
    }


def read(posted: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """As it was typed."""
    one = {name: (posted.get(name) or [""])[-1][:_MOST_TYPED] for name in
           ("name", "which", "mode", "networks", "days", "rate", "reason")}  # fmt: skip
    return {**one, "categories": [each[:100] for each in posted.get("categories", [])][:1000]}


def scope(typed: Mapping[str, Any], given: Bounds) -> tuple[Scope, dict[str, str]]:
    """The scope, and what is wrong with it by field name; only one without faults is proposed."""
    faults: dict[str, str] = {}
    name = typed["name"].strip()
    if not name:
        faults["name"] = "Name the program that will use the key."
    elif len(name) > _LONGEST_NAME:
        faults["name"] = f"A name has at most {_LONGEST_NAME} characters; this has {len(name)}."
    if typed["which"] not in ("all", "some"):
        faults["which"] = "Choose one of the two."
    elif typed["which"] == "some" and not typed["categories"]:
        faults["categories"] = "Tick at least one category, or choose all of them above."
    if typed["mode"] not in MODES:
        faults["mode"] = "Choose live or test."
    networks = _networks(typed["networks"], faults)
    days = _number("days", typed["days"], given.days, "days", faults)
    rate = _number("rate", typed["rate"], given.rate, "messages an hour", faults) if typed["rate"].strip() else None
    reason = typed["reason"].strip()
    if not reason:
        faults["reason"] = "Say why, for the person who approves."
    elif len(reason) > _LONGEST_REASON:
        faults["reason"] = f"A reason has at most {_LONGEST_REASON:,} characters."
    categories = None if typed["which"] == "all" else sorted(set(typed["categories"]))
    return Scope(name, categories, typed["mode"], networks, days, rate, reason), faults


def _networks(typed: str, faults: dict[str, str]) -> list[str]:
    """One a line, or with commas between; a single address is a network of one; each in its shortest form."""
    given = [part for line in typed.splitlines() for part in line.replace(",", " ").split()]
    found = list(dict.fromkeys(_normal(each) for each in given))
    problems = network_problems(found)
    if problems:
        faults["networks"] = problems[0].hint
    return found


def _normal(text: str) -> str:
    try:
        return str(ip_network(text, strict=False))
    except ValueError:
        return text


def _number(name: str, typed: str, most: int, what: str, faults: dict[str, str]) -> int:
    text = typed.strip().replace(",", "")
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        faults[name] = f"Give a whole number of {what}, from 1 to {most:,}."
        return 0
    if not 1 <= int(text) <= most:
        faults[name] = f"Policy allows from 1 to {most:,} {what} here."
    return int(text)


def ends(now: datetime, days: int) -> datetime:
    """In whole seconds, so that two people read the same time."""
    return (now + timedelta(days=days)).replace(microsecond=0)


def told(problems: Sequence[Problem]) -> dict[str, str]:
    """The problems of a refused artefact by field of the form."""
    found: dict[str, str] = {}
    for each in problems:
        name = _FIELDS.get(each.field, "")
        found[name] = f"{found[name]} {each.hint}" if name in found else each.hint
    return found
