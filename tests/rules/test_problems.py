"""Problem types: stable, documented, and readable by Resend's clients."""

import re

import pytest
from tests.rules.world import problem

from troth.rules.problems import NOT_PROBLEMS, PROBLEMS, problem_document, problems_markdown

# FACTS.md 22: what Resend's client maps to an exception of its own.
TYPED = {
    400: {"validation_error"},
    401: {"missing_api_key"},
    403: {"invalid_api_key", "validation_error"},
    422: {"validation_error", "missing_required_field"},
    429: {"rate_limit_exceeded", "daily_quota_exceeded", "monthly_quota_exceeded"},
}


@pytest.mark.parametrize("slug", sorted(PROBLEMS))
def test_a_problem_type_is_whole(slug: str) -> None:
    kind = PROBLEMS[slug]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert 400 <= kind.status <= 503
    assert kind.title
    assert kind.way_out.endswith(".")
    assert kind.name in TYPED.get(kind.status, {kind.name})
    assert kind.uri == f"/problems/{slug}"
    assert kind.again or kind.status not in (429, 503)


def test_suppression_is_never_a_problem() -> None:
    assert {"suppressed", "opted-out"} <= set(NOT_PROBLEMS)
    assert not set(NOT_PROBLEMS) & set(PROBLEMS)


@pytest.mark.parametrize(
    "slug",
    [
        "malformed-json", "unknown-field", "missing-field", "body-too-large", "bad-utf8", "bad-type", "unauthorized",
        "invalid-api-key", "key-revoked", "not-found", "method-not-allowed", "idempotency-mismatch",
        "idempotency-in-flight", "rate-limited", "store-unavailable", "header-injection", "unknown-template",
        "variables-do-not-fit", "recipient-unverified", "template-unapproved", "domain-unready",
        "too-many-recipients", "batch-too-large", "invalid-cursor", "not-cancellable", "address-invalid",
    ],
)  # fmt: skip
def test_bad_input_has_its_own_type(slug: str) -> None:
    assert slug in PROBLEMS


def test_the_body_is_rfc_9457_and_resends() -> None:
    body = problem_document("variables-do-not-fit", "Amount.", field="variables.amount", errors=[problem()])
    assert body == {
        "type": "/problems/variables-do-not-fit",
        "title": "The variables do not fit the template",
        "status": 422,
        "detail": "Amount.",
        "name": "validation_error",
        "message": "Amount.",
        "statusCode": 422,
        "field": "variables.amount",
        "errors": [{"field": "variables.amount", "code": "bad-type", "detail": "amount must be a number"}],
    }
    assert "field" not in problem_document("not-found", "No.")
    with pytest.raises(KeyError):
        problem_document("suppressed", "never")


def test_the_page_names_them_all() -> None:
    page = problems_markdown()
    assert all(f"## {slug}\n" in page for slug in PROBLEMS)
    assert all(f"- `{code}`" in page for code in NOT_PROBLEMS)
