"""Submission's answers as bytes: JSON, problem documents (RFC 9457) in Resend's dress, rate-limit headers.

Headers: draft-ietf-httpapi-ratelimit-headers `RateLimit` and `RateLimit-Policy`, and the three `ratelimit-*` of Resend.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from starlette.responses import Response

from troth.flow.submission.problem import Problem
from troth.rules.decision import seconds_until
from troth.rules.facts import Rate
from troth.rules.problems import problem_document

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
_TOO_MANY = 429
_PATIENCE = {_TOO_MANY: 60, 503: 5}  # seconds told when nobody knows better
_WINDOWS = {"hour": 3600, "day": 86_400}
_encode = msgspec.json.Encoder().encode
# What a program does about it, for whoever reads no sentences.
_REGISTER: Mapping[str, object] = {"method": "POST", "path": "/recipients", "needs": ["email"]}
_WAYS_OUT = {
    "recipient-unverified": {**_REGISTER, "then": "the recipient confirms by the mail that this sends"},
    "pathway-not-accepted": {**_REGISTER, "then": "the recipient confirms on an accepted pathway"},
}

# Nothing here is a page, is cached, or may be framed; HSTS counts only over TLS (RFC 6797 8.1).
SECURITY = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
}


def json_answer(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(_encode(content), status, headers, JSON)


def problem_answer(problem: Problem, request_id: str, accept: str) -> Response:
    """The document and its headers; problem+json only for whoever names it (Resend's clients know but JSON)."""
    headers = rate_headers(problem.rates, problem.at)
    if (wait := _retry_after(problem)) is not None:
        headers["retry-after"] = str(wait)
    if problem.allow:
        headers["allow"] = ", ".join(problem.allow)
    if problem.type.status == 401:
        headers["www-authenticate"] = 'Bearer realm="Troth"'
    media = PROBLEM_JSON if PROBLEM_JSON in accept else JSON
    return Response(_encode(document(problem, request_id)), problem.type.status, headers, media)


def document(problem: Problem, request_id: str) -> dict[str, Any]:
    """RFC 9457's members, Resend's, and ours: code, instance, seconds to wait, and what the gate decided."""
    found = problem_document(problem.slug, problem.sentence, field=problem.field, errors=problem.errors)
    found |= {"code": problem.slug, "instance": request_id}
    if problem.index is not None:
        found["index"] = problem.index
    if problem.suggestion is not None:
        found["suggestion"] = problem.suggestion
    if (way := _WAYS_OUT.get(problem.slug)) is not None:
        found["way_out"] = way
    if (wait := _retry_after(problem)) is not None:
        found["retry_after"] = wait
    if problem.verdicts:
        found["decision"] = list(problem.verdicts)
    return found


def _retry_after(problem: Problem) -> int | None:
    """When a counter is what refused, the end of the last window that has nothing left: sooner would be in vain."""
    if problem.type.status != _TOO_MANY or problem.retry_after is None or problem.at is None:
        return _PATIENCE.get(problem.type.status) if problem.retry_after is None else problem.retry_after
    spent = [seconds_until(r.resets_at, problem.at) for r in problem.rates if r.used >= r.limit]
    return max([problem.retry_after, *spent])


def rate_headers(rates: Sequence[Rate], at: datetime | None) -> dict[str, str]:
    """What is left of each window, and when it is full again; empty when no window was looked at."""
    shown = [r for r in rates if r.scope != "recipient"]  # a recipient's own count is nobody's allowance
    if not shown or at is None:
        return {}
    least = min(shown, key=lambda r: (_left(r), -seconds_until(r.resets_at, at)))
    return {
        "ratelimit-policy": ", ".join(f"{_name(r)};q={r.limit};w={_WINDOWS[r.window]}" for r in shown),
        "ratelimit": ", ".join(f"{_name(r)};r={_left(r)};t={seconds_until(r.resets_at, at)}" for r in shown),
        "ratelimit-limit": str(least.limit),
        "ratelimit-remaining": str(_left(least)),
        "ratelimit-reset": str(seconds_until(least.resets_at, at)),
    }


def _left(rate: Rate) -> int:
    return max(0, rate.limit - rate.used)


def _name(rate: Rate) -> str:
    return f'"{rate.scope}-{rate.window}"'
