"""Submission's answers as bytes: JSON, problem documents (RFC 9457) in Resend's dress, rate-limit headers.

Headers: draft-ietf-httpapi-ratelimit-headers `RateLimit` and `RateLimit-Policy`, and the three `ratelimit-*` of Resend.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from starlette.responses import Response

from troth.flow.submission.problem import Problem
from troth.rules.facts import Rate
from troth.rules.problems import problem_document

JSON = "application/json"
PROBLEM_JSON = "application/problem+json"
_PATIENCE = {429: 60, 503: 5}  # seconds told when nobody knows better
_WINDOWS = {"hour": 3600, "day": 86_400}
_encode = msgspec.json.Encoder().encode

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
    headers = rate_headers(problem.rates, _reset(problem))
    if (wait := _retry_after(problem)) is not None:
        headers["retry-after"] = str(wait)
    if problem.allow:
        headers["allow"] = ", ".join(problem.allow)
    if problem.type.status == 401:
        headers["www-authenticate"] = 'Bearer realm="Troth"'
    media = PROBLEM_JSON if PROBLEM_JSON in accept else JSON
    return Response(_encode(document(problem, request_id)), problem.type.status, headers, media)


def document(problem: Problem, request_id: str) -> dict[str, Any]:
    """RFC 9457's members, Resend's, and ours: code, instance, and what the gate decided."""
    found = problem_document(problem.slug, problem.sentence, field=problem.field, errors=problem.errors)
    found |= {"code": problem.slug, "instance": request_id}
    if problem.index is not None:
        found["index"] = problem.index
    if problem.verdicts:
        found["decision"] = list(problem.verdicts)
    return found


def _retry_after(problem: Problem) -> int | None:
    if problem.retry_after is not None:
        return problem.retry_after
    return _PATIENCE.get(problem.type.status)


def _reset(problem: Problem) -> int | None:
    return _retry_after(problem) if problem.rates else None


def taken_headers(rates: Sequence[Rate], now: datetime) -> dict[str, str]:
    """What is left after an accepted request, made at `now` (the database's clock)."""
    return _headers([(r, r.limit - r.used - r.asking, max(1, int((r.resets_at - now).total_seconds()))) for r in rates])


def rate_headers(rates: Sequence[Rate], reset: int | None) -> dict[str, str]:
    """What is left after a refusal: a counter that cannot take the request has nothing for it."""
    return _headers([(r, r.limit - r.used, reset or 1) for r in rates])


def _headers(counters: Sequence[tuple[Rate, int, int]]) -> dict[str, str]:
    shown = [c for c in counters if c[0].scope != "recipient"]  # a recipient's own count is nobody's allowance
    if not shown:
        return {}
    least, left, reset = min(shown, key=lambda c: c[1])
    return {
        "ratelimit-policy": ", ".join(f"{_name(r)};q={r.limit};w={_WINDOWS.get(r.window, 3600)}" for r, _, _ in shown),
        "ratelimit": ", ".join(f"{_name(r)};r={max(0, n)};t={t}" for r, n, t in shown),
        "ratelimit-limit": str(least.limit),
        "ratelimit-remaining": str(max(0, left)),
        "ratelimit-reset": str(reset),
    }


def _name(rate: Rate) -> str:
    return f'"{rate.scope}-{rate.window}"'
