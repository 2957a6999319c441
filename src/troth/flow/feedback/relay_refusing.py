"""Feedback: what a relay's webhook is answered: a problem document (RFC 9457) that says what to do, or that it is done.

Refused(Exception)   slug: a registered problem type (rules/problems.py); nothing was changed
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from troth.outside import meters
from troth.rules.problems import PROBLEMS, problem_document

_TOTAL = meters.counter("troth_relay_webhooks_total")
_AGAIN = "60"  # seconds, where the same call may pass later
_PROBLEM_JSON = "application/problem+json"
_CLOSED = {"cache-control": "no-store", "x-content-type-options": "nosniff", "referrer-policy": "no-referrer"}


class Refused(Exception):  # noqa: N818 - reads as what happened
    """Not obeyed; the sentence is for whoever set the webhook up."""

    def __init__(self, slug: str, sentence: str) -> None:
        super().__init__(sentence)
        self.slug, self.sentence = slug, sentence

    @property
    def temporary(self) -> bool:
        return PROBLEMS[self.slug].again


def answer(request: Request, relay: str, refused: Refused) -> Response:
    problem = PROBLEMS[refused.slug]
    _TOTAL[relay, refused.slug.removeprefix("webhook-")] += 1
    document = {**problem_document(refused.slug, refused.sentence), "code": refused.slug}
    media = _PROBLEM_JSON if _PROBLEM_JSON in request.headers.get("accept", "") else "application/json"
    headers = {**_CLOSED, **({"retry-after": _AGAIN} if problem.again else {})}
    if refused.slug == "method-not-allowed":
        headers["allow"] = "POST"
    return JSONResponse(document, problem.status, headers, media)


def done(relay: str, outcome: str) -> Response:
    """All that it told is on record."""
    _TOTAL[relay, outcome] += 1
    return JSONResponse({"status": outcome}, 200, _CLOSED)
