"""Four eyes, kind `api-key`: what a key may send and until when; the key itself is known by its hash alone."""

import re
from datetime import datetime
from typing import Any

import msgspec

from troth.control.approvals.artefacts.category import code_problems
from troth.control.approvals.asked import Asked
from troth.control.approvals.standing import Standing, conflicts, document_problems, standing
from troth.control.audit.refusals import Problem

_HASH = re.compile(r"[0-9a-f]{64}\Z")
_PREFIX = re.compile(r"troth_[a-z0-9]{1,4}_[A-Za-z0-9]{4,12}\Z")


class ApiKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`hash`: SHA-256 of the whole key in hex; `categories`: null for all."""

    name: str
    prefix: str
    hash: str
    expires_at: datetime
    categories: list[str] | None = None
    policy: dict[str, Any] = {}
    retired: bool = False


def check(asked: Asked) -> list[Problem]:
    given = asked.read(ApiKey)
    problems = code_problems(asked.code) + document_problems(given.policy)
    if not given.name.strip():
        problems.append(Problem("name", "empty", "Name the program that will use the key."))
    if not _HASH.match(given.hash):
        problems.append(Problem("hash", "value", "This is the key's SHA-256 in lower-case hex."))
    if not _PREFIX.match(given.prefix):
        problems.append(Problem("prefix", "value", "This is the start of the key, such as troth_a_3kTz."))
    if not given.retired:
        problems += _expiry_problems(given.expires_at, asked.now)
        problems += _category_problems(asked, given, standing(asked.connection, asked.tenant))
    return problems


def _expiry_problems(expires: datetime, now: datetime) -> list[Problem]:
    if expires.tzinfo is None:
        return [Problem("expires_at", "value", "Say in which time zone, as in 2027-01-31T00:00:00Z.")]
    if expires <= now:
        return [Problem("expires_at", "past", "This has passed already.")]
    return []


def _category_problems(asked: Asked, given: ApiKey, here: Standing) -> list[Problem]:
    if given.categories == []:
        return [Problem("categories", "empty", "Name at least one category, or give null for all.")]
    unknown = [code for code in given.categories or () if not here.knows("category", code)]
    if unknown:
        return [Problem("categories", "unknown", f"There is no category {', '.join(unknown)} here.")]
    return conflicts(here.with_key(asked.code, asked.artefact))
