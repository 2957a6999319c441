"""Four eyes, kind `api-key`: what a key may send and until when; the key itself is known by its hash alone."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any

import msgspec

from troth.control.approvals.artefacts.category import code_problems
from troth.control.approvals.asked import Asked
from troth.control.approvals.spent import Within, stated_below_spent
from troth.control.approvals.standing import Standing, conflicts, document_problems, resolved, standing
from troth.control.audit.refusals import Problem

_HASH = re.compile(r"[0-9a-f]{64}\Z")
MODES = ("live", "test")
MOST_NETWORKS = 50
_PREFIX = re.compile(r"troth_[a-z0-9]{1,4}_[A-Za-z0-9]{4,12}\Z")


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hash`: SHA-256 of the whole key in hex; `categories`: null for all; `mode`: live or test; `networks`: CIDR,
    empty for anywhere.
    """

    name: str
    prefix: str
    hash: str
    expires_at: datetime
    categories: list[str] | None = None
    policy: dict[str, Any] = {}
    retired: bool = False
    mode: str = "live"
    networks: list[str] = []


def check(asked: Asked) -> list[Problem]:
    given = asked.read(ApiKey)
    problems = code_problems(asked.code) + document_problems(given.policy)
    if not given.name.strip():
        problems.append(Problem("name", "empty", "Name the program that will use the key."))
    if not _HASH.match(given.hash):
        problems.append(Problem("hash", "value", "This is the key's SHA-256 in lower-case hex."))
    if not _PREFIX.match(given.prefix):
        problems.append(Problem("prefix", "value", "This is the start of the key, such as troth_a_3kTz."))
    if given.mode not in MODES:
        problems.append(Problem("mode", "value", "A key is live or test."))
    problems += network_problems(given.networks)
    if not given.retired:
        here = standing(asked.connection, asked.tenant)
        problems += _expiry_problems(given, asked, here)
        problems += _category_problems(asked, given, here)
    return problems


def network_problems(networks: list[str]) -> list[Problem]:
    """Each in its shortest form and once, so that two people read the same thing."""
    if len(networks) > MOST_NETWORKS:
        return [Problem("networks", "too-many", f"A key has at most {MOST_NETWORKS} networks.")]
    found = [Problem("networks", "value", hint) for text in networks if (hint := _network_hint(text))]
    if not found and len(set(networks)) < len(networks):
        found.append(Problem("networks", "twice", "A network stands there twice."))
    return found


def _network_hint(text: str) -> str | None:
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return f"{ascii(text[:60])[1:-1]} is no network; write one as 203.0.113.0/24 or 2001:db8::/32."
    return None if str(network) == text else f"Write {ascii(text[:60])[1:-1]} as {network}."


def _expiry_problems(given: ApiKey, asked: Asked, here: Standing) -> Iterator[Problem]:
    if given.expires_at.tzinfo is None:
        yield Problem("expires_at", "value", "Say in which time zone, as in 2027-01-31T00:00:00Z.")
        return
    if given.expires_at <= asked.now:
        yield Problem("expires_at", "past", "This has passed already.")
    policy = resolved(here)
    if policy is not None and given.expires_at > asked.now + timedelta(days=policy.access.key_days):
        hint = f"A key lives for at most {policy.access.key_days} days here (access.key_days): choose an earlier end."
        yield Problem("expires_at", "late", hint)


def _category_problems(asked: Asked, given: ApiKey, here: Standing) -> list[Problem]:
    if given.categories == []:
        return [Problem("categories", "empty", "Name at least one category, or give null for all.")]
    unknown = [code for code in given.categories or () if not here.knows("category", code)]
    if unknown:
        return [Problem("categories", "unknown", f"There is no category {', '.join(unknown)} here.")]
    old = here.keys.get(asked.code, {}).get("policy", {}).get("limits", {})
    new = given.policy.get("limits", {})
    return conflicts(here.with_key(asked.code, asked.artefact)) or stated_below_spent(
        asked.connection, here, old, new, Within(key=asked.subject)
    )
