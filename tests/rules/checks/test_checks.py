"""Each check, by what it promises: every code that it may give is given, and nothing it saw is personal."""

import importlib
import json
import pkgutil
from datetime import timedelta

import pytest
from tests.rules.world import GOOD, NOW, SECRET_ADDRESS, but, policy, problem, rates

from troth.rules import checks
from troth.rules.chain import CHAIN
from troth.rules.decision import Outcome, Verdict
from troth.rules.facts import UNASKED, Attachment, Consent, Suppression, Volume
from troth.rules.problems import NOT_PROBLEMS, PROBLEMS
from troth.rules.rates import spoken

RAW = {"email": {"raw": True}, "template": None, "category": {"raw_content_allowed": True}}
ON_CONSENT = {"category": {"lawful_basis": "consent"}}
LISTED = Suppression(True, "hard_bounce", "dsn", own=True)

# check, what is worse about the facts, the code that follows.
CASES = [
    ("tenant_active", {"tenant": {"state": "closed"}}, "tenant-inactive"),
    ("tenant_active", {"tenant": None}, "store-unavailable"),
    ("tenant_not_paused", {"tenant": {"paused": "operator"}}, "tenant-paused"),
    ("tenant_not_paused", {"tenant": {"paused": "a reason of the future"}}, "tenant-paused"),
    ("tenant_not_paused", {"tenant": {"paused": "anomaly"}}, "anomaly-review"),
    ("volume_usual", {"volume": Volume(1_500, (1_000,) * 7, asking=1)}, "anomaly-review"),
    (
        "volume_usual",
        {"volume": Volume(200, (0,) * 7, asking=1), "policy": policy(anomaly__new_mail="refuse")},
        "anomaly-stop",
    ),
    ("volume_usual", {"volume": None}, "store-unavailable"),
    (
        "tenant_not_paused",
        {"tenant": {"paused": "anomaly"}, "policy": policy(anomaly__new_mail="refuse")},
        "anomaly-stop",
    ),
    ("tenant_not_paused", {"tenant": None}, "store-unavailable"),
    ("tenant_not_paused", {"policy": None}, "store-unavailable"),
    ("key_live", {"key": {"live": "revoked"}}, "key-revoked"),
    ("key_live", {"key": {"live": "expired"}}, "key-expired"),
    ("key_live", {"key": {"live": "elsewhere"}}, "key-elsewhere"),
    ("key_live", {"key": {"live": "odd"}}, "store-unavailable"),
    ("key_live", {"key": {"sending_allowed": False}}, "key-not-for-sending"),
    ("key_live", {"key": None}, "store-unavailable"),
    ("key_scope", {"key": {"categories": frozenset({"other"})}}, "key-scope"),
    ("key_scope", {"key": {"categories": frozenset()}}, "key-scope"),
    ("key_scope", {"key": None}, "store-unavailable"),
    ("category_approved", {"category": None}, "category-unknown"),
    ("category_approved", {"category": None, "template": None}, "unknown-template"),
    ("category_approved", {"category": None, "template": {"approved": False}}, "template-unapproved"),
    ("category_approved", {"category": {"approved": False}}, "category-unapproved"),
    ("category_approved", {"category": {"retired": True}}, "category-retired"),
    ("lawful_basis", {"category": {"lawful_basis": ""}}, "lawful-basis-missing"),
    (
        "lawful_basis",
        {"category": {"legal_class": "relationship", "lawful_basis": "legal-obligation"}},
        "lawful-basis-missing",
    ),
    ("lawful_basis", {"category": {"legal_class": "required"}}, "lawful-basis-missing"),
    ("lawful_basis", {"category": {"legal_class": "commercial", "lawful_basis": "consent"}}, "lawful-basis-missing"),
    ("lawful_basis", {"category": None}, "store-unavailable"),
    ("sender_identified", {"tenant": {"addressed": False}}, "sender-unidentified"),
    ("sender_identified", {"category": {"named": False}}, "sender-unidentified"),
    ("sender_identified", {"tenant": {"addressed": None}}, "store-unavailable"),
    ("sender_identified", {"category": {"named": None}}, "store-unavailable"),
    ("sender_identified", {"tenant": None}, "store-unavailable"),
    ("sender_identified", {"category": None}, "store-unavailable"),
    ("consent_held", {**ON_CONSENT, "consent": Consent("none")}, "consent-missing"),
    ("consent_held", {**ON_CONSENT, "consent": Consent("expired", "implied", "inquiry", NOW)}, "consent-expired"),
    ("consent_held", {**ON_CONSENT, "consent": Consent("withdrawn")}, "consent-withdrawn"),
    ("consent_held", {**ON_CONSENT, "consent": Consent("a word of the future")}, "store-unavailable"),
    ("consent_held", {**ON_CONSENT, "consent": None}, "store-unavailable"),
    ("consent_held", {**ON_CONSENT, "recipient": None}, "store-unavailable"),
    ("consent_held", {**ON_CONSENT, "consent": UNASKED}, "store-unavailable"),
    ("consent_held", {"category": None}, "store-unavailable"),
    ("sender_matches", {"email": {"from_asked": "ceo@mail.hijaaz.example"}}, "sender-mismatch"),
    ("sender_matches", {"email": {"from_asked": ""}}, "sender-mismatch"),
    ("sender_matches", {"category": {"sender_domain": "elsewhere.example"}}, "store-unavailable"),
    ("sender_matches", {"category": {"sender_domain": ""}}, "store-unavailable"),
    ("sender_matches", {"category": None}, "store-unavailable"),
    ("template_approved", {"template": None}, "unknown-template"),
    ("template_approved", {"template": {"approved": False}}, "template-unapproved"),
    ("template_approved", {"template": {"digest_matches": False}}, "template-altered"),
    ("template_approved", {"template": {"digest_matches": None}}, "store-unavailable"),
    ("raw_content", {**RAW, "category": {"raw_content_allowed": False}}, "raw-content-refused"),
    ("raw_content", {**RAW, "policy": policy(content__raw=False)}, "raw-content-refused"),
    ("raw_content", {"email": {"raw": True}}, "content-conflict"),
    ("raw_content", {"content_problems": (problem("html", "empty", "html is empty"),)}, "content-invalid"),
    ("raw_content", {**RAW, "policy": None}, "store-unavailable"),
    ("raw_content", {**RAW, "category": None}, "store-unavailable"),
    ("variables_fit", {"template": {"variable_problems": (problem(),)}}, "variables-do-not-fit"),
    ("variables_fit", {"template": {"variable_problems": (problem(), problem())}}, "variables-do-not-fit"),
    ("variables_fit", {"email": {"variable_bytes": 32_769}}, "variables-too-large"),
    ("variables_fit", {"policy": None}, "store-unavailable"),
    ("size", {"email": {"recipient_count": 51}}, "too-many-recipients"),
    ("size", {"email": {"recipient_count": 0}}, "no-recipient"),
    ("size", {"email": {"total_bytes": 10_485_761}}, "message-too-large"),
    ("size", {"policy": None}, "store-unavailable"),
    ("attachments", {"email": {"attachments": (Attachment(1, "text/plain"),) * 11}}, "too-many-attachments"),
    ("attachments", {"email": {"attachments": (Attachment(7_340_033, "text/plain"),)}}, "attachments-too-large"),
    ("attachments", {"email": {"attachments": (Attachment(1, "text/html"),)}}, "attachment-type-refused"),
    (
        "attachments",
        {"email": {"attachments": (Attachment(1, "text/plain"),)}, "policy": policy(content__attachment_types=[])},
        "attachment-type-refused",
    ),
    ("attachments", {"policy": None}, "store-unavailable"),
    ("headers", {"email": {"problems": (problem("headers", "reserved", "no"),)}}, "header-refused"),
    (
        "headers",
        {"email": {"problems": (problem("headers", "reserved", "no"), problem("subject", "header-injection", "no"))}},
        "header-injection",
    ),
    ("address_syntax", {"recipient": {"address_problem": problem("to", "no-at", "no @")}}, "address-invalid"),
    ("address_syntax", {"recipient": {"address_problem": problem("to", "smtputf8", "é")}}, "smtputf8-unsupported"),
    ("address_syntax", {"recipient": None}, "store-unavailable"),
    ("recipient_verified", {"recipient": {"status": "unknown"}}, "recipient-unverified"),
    ("recipient_verified", {"recipient": {"status": "pending"}}, "recipient-unverified"),
    ("recipient_verified", {"recipient": {"status": "expired"}}, "recipient-unverified"),
    ("recipient_verified", {"recipient": {"status": "erased"}}, "recipient-erased"),
    ("recipient_verified", {"recipient": {"status": "odd"}}, "store-unavailable"),
    ("recipient_verified", {"recipient": {"verified_at": None}}, "store-unavailable"),
    ("recipient_verified", {"recipient": {"verified_at": NOW + timedelta(1)}}, "store-unavailable"),
    ("recipient_verified", {"recipient": {"pathway": "employer-invitation"}}, "pathway-not-accepted"),
    ("recipient_verified", {"recipient": {"pathway": None}}, "pathway-not-accepted"),
    ("recipient_verified", {"policy": policy(recipients__pathways=[])}, "pathway-not-accepted"),
    ("recipient_verified", {"recipient": None}, "store-unavailable"),
    ("recipient_verified", {"policy": None}, "store-unavailable"),
    ("domain_ready", {"domain": None}, "domain-unready"),
    ("domain_ready", {"domain": {"name": "other.example"}}, "domain-unready"),
    ("domain_ready", {"domain": {"ready": False}}, "domain-unready"),
    ("domain_ready", {"domain": {"problems": ("dmarc-reject",)}}, "domain-unready"),
    ("domain_ready", {"domain": {"problems": ("spf",), "lookup_failed": True}}, "domain-unready"),
    ("domain_ready", {"domain": {"lookup_failed": True, "last_good_at": None}}, "domain-unverifiable"),
    (
        "domain_ready",
        {"domain": {"lookup_failed": True, "last_good_at": NOW - timedelta(hours=3)}},
        "domain-unverifiable",
    ),
    ("domain_ready", {"domain": {"checked_at": NOW - timedelta(hours=3)}}, "domain-unverifiable"),
    ("domain_ready", {"domain": {"checked_at": None}}, "domain-unverifiable"),
    ("domain_ready", {"policy": None}, "store-unavailable"),
    ("domain_ready", {"category": None}, "store-unavailable"),
    ("not_suppressed", {"suppression": LISTED}, "suppressed"),
    ("not_suppressed", {"suppression": Suppression(True, "complaint", "fbl")}, "suppressed"),
    ("not_suppressed", {"suppression": Suppression(True, "complaint", "fbl", override=True)}, "suppressed"),
    ("not_suppressed", {"suppression": Suppression(True, "", "", override=True)}, "suppressed"),
    (
        "not_suppressed",
        {"suppression": Suppression(True, "hard_bounce", override=True), "policy": policy(recipients__overrides=False)},
        "suppressed",
    ),
    ("not_suppressed", {"opted_out": True}, "opted-out"),
    ("not_suppressed", {"suppression": None}, "store-unavailable"),
    ("not_suppressed", {"opted_out": None}, "store-unavailable"),
    ("not_suppressed", {"policy": None}, "store-unavailable"),
    ("schedule", {"email": {"scheduled_at": NOW - timedelta(minutes=2)}}, "schedule-in-past"),
    ("schedule", {"email": {"scheduled_at": NOW + timedelta(days=31)}}, "schedule-too-far"),
    ("schedule", {"email": {"scheduled_at": NOW}, "policy": None}, "store-unavailable"),
    ("quiet_hours", {"policy": policy(quiet__hours=["12", "13"])}, "quiet-hours"),
    ("quiet_hours", {"policy": None}, "store-unavailable"),
    ("quiet_hours", {"recipient": None}, "store-unavailable"),
    ("rate_key", {"rates": rates(key_hour=1_000)}, "rate-limited"),
    ("rate_tenant_hour", {"rates": rates(tenant_hour=1_000)}, "rate-limited"),
    ("rate_tenant_day", {"rates": rates(tenant_day=1_000)}, "daily-limit-reached"),
    ("rate_template", {"rates": rates(template_hour=1_000)}, "rate-limited"),
    ("rate_recipient", {"rates": rates(recipient_day=5)}, "recipient-limit-reached"),
    *(
        (f"rate_{name}", {"rates": ()}, "store-unavailable")
        for name in ("key", "tenant_hour", "tenant_day", "template")
    ),
    ("rate_recipient", {"rates": ()}, "store-unavailable"),
    ("rate_key", {"policy": None}, "store-unavailable"),
    ("rate_key", {"tenant": None}, "store-unavailable"),
]
NAMES = sorted(module.name for module in pkgutil.iter_modules(checks.__path__))


def run(name: str, **changes: object) -> Verdict:
    return importlib.import_module(f"troth.rules.checks.{name}").check(but(GOOD, **changes))


@pytest.mark.parametrize(("name", "worse", "code"), CASES)
def test_a_worse_fact_gives_its_code(name: str, worse: dict[str, object], code: str) -> None:
    verdict = run(name, **worse)
    assert (verdict.check, verdict.code) == (name, code)
    assert verdict.outcome is not Outcome.ACCEPT
    assert verdict.sentence.strip()
    assert (verdict.outcome is Outcome.REFUSE) == (code in PROBLEMS)
    assert (verdict.retry_after is not None) or not PROBLEMS.get(code) or not PROBLEMS[code].again


@pytest.mark.parametrize("name", NAMES)
def test_the_good_message_passes(name: str) -> None:
    verdict = run(name)
    assert (verdict.outcome, verdict.code, verdict.check) == (Outcome.ACCEPT, "ok", name)


@pytest.mark.parametrize("name", NAMES)
def test_every_code_of_a_check_is_reached_and_registered(name: str) -> None:
    codes = set(importlib.import_module(f"troth.rules.checks.{name}").CODES)
    assert codes == {code for check, _, code in CASES if check == name}
    assert codes <= set(PROBLEMS) | set(NOT_PROBLEMS)


def test_every_file_is_in_the_chain_once() -> None:
    assert sorted(check.__module__.rpartition(".")[2] for check in CHAIN) == NAMES


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("key_scope", {"key": {"categories": None}}),
        ("sender_matches", {"email": {"from_asked": None}}),
        ("sender_matches", {"email": {"from_asked": "Rent@MAIL.hijaaz.example"}}),
        ("template_approved", RAW),
        ("raw_content", RAW),
        ("variables_fit", RAW),
        ("attachments", {"email": {"attachments": (Attachment(9, "application/pdf"),)}}),
        ("domain_ready", {"domain": {"lookup_failed": True, "last_good_at": NOW - timedelta(hours=2)}}),
        ("domain_ready", {"domain": {"lookup_failed": True, "ready": False}}),
        ("domain_ready", {"domain": {"name": "MAIL.hijaaz.example"}}),
        ("not_suppressed", {"suppression": Suppression(True, "hard_bounce", override=True)}),
        ("consent_held", {**ON_CONSENT, "consent": Consent("held", "express", "recipient")}),
        ("consent_held", {**ON_CONSENT, "consent": Consent("held", "implied", "inquiry", NOW + timedelta(days=1))}),
        ("lawful_basis", {"category": {"legal_class": "required", "lawful_basis": "legal-obligation"}}),
        ("schedule", {"email": {"scheduled_at": NOW - timedelta(seconds=59)}}),
        ("schedule", {"email": {"scheduled_at": NOW + timedelta(days=30)}}),
        ("tenant_not_paused", {"tenant": {"paused": "anomaly"}, "policy": policy(anomaly__action="slow")}),
        ("volume_usual", {"volume": Volume(1_499, (1_000,) * 7, asking=1)}),
        ("volume_usual", {"volume": Volume(1_500, (1_000,) * 7, asking=1, reviewed=1_001)}),
        ("volume_usual", {"volume": Volume(9_500, (1_000,) * 7, asking=1), "policy": policy(anomaly__action="slow")}),
        ("volume_usual", {"volume": Volume(9_500, (1_000,) * 7, asking=1), "tenant": {"paused": "anomaly"}}),
        ("rate_recipient", {"rates": rates(recipient_day=4)}),
        ("rate_key", {"rates": rates(key_hour=999)}),
    ],
)
def test_what_is_permitted_passes(name: str, same: dict[str, object]) -> None:
    assert run(name, **same).outcome is Outcome.ACCEPT


def test_an_opt_out_stands_against_an_override() -> None:
    verdict = run("not_suppressed", suppression=Suppression(True, "hard_bounce", override=True), opted_out=True)
    assert (verdict.outcome, verdict.code) == (Outcome.SUPPRESS, "opted-out")


def test_another_tenants_reason_is_not_told() -> None:
    verdict = run("not_suppressed", suppression=Suppression(True, "complaint", "fbl-yahoo", own=False))
    assert "complaint" not in json.dumps(verdict.to_document())
    assert "yahoo" not in json.dumps(verdict.to_document())
    assert set(verdict.saw) == {"serve_otherwise"}
    assert "own" not in run("not_suppressed", suppression=LISTED).saw
    assert "hard_bounce" in run("not_suppressed", suppression=LISTED).sentence


def test_a_notice_that_the_law_demands_is_served_otherwise() -> None:
    verdict = run("not_suppressed", suppression=LISTED, category={"legal_class": "required"})
    assert verdict.saw["serve_otherwise"] is True
    assert run("not_suppressed", suppression=LISTED).saw["serve_otherwise"] is False
    assert run("not_suppressed", suppression=LISTED, category=None).saw["serve_otherwise"] is False


def test_a_slowed_tenant_has_a_share_of_its_hour() -> None:
    slow = {"tenant": {"paused": "anomaly"}, "policy": policy(anomaly__action="slow", anomaly__slow_percent=10)}
    assert run("rate_tenant_hour", rates=rates(tenant_hour=499), **slow).outcome is Outcome.ACCEPT
    assert run("rate_tenant_hour", rates=rates(tenant_hour=500), **slow).code == "rate-limited"
    assert run("rate_tenant_day", rates=rates(tenant_day=999), **slow).outcome is Outcome.ACCEPT


def test_a_request_larger_than_the_limit_is_told_to_split() -> None:
    (one, *rest) = rates()
    verdict = run("rate_key", rates=(type(one)("key", "k", "hour", 10, 0, 500, one.resets_at), *rest))
    assert "fewer at a time" in verdict.sentence
    assert verdict.retry_after == 1_800


def test_a_misfit_names_the_variable_in_its_sentence() -> None:
    """Resend's clients show their user the sentence and nothing else."""
    found = problem("template.variables.home", "missing", "This variable is required.")
    verdict = run("variables_fit", template={"variable_problems": (found, found)})
    assert "template.variables.home: This variable is required. (1 more)" in verdict.sentence


def test_nothing_that_was_seen_is_personal() -> None:
    leak = problem(f"variables.{SECRET_ADDRESS}", "unknown-field", "a variable is not in the schema")
    for name, changes in [
        ("variables_fit", {"template": {"variable_problems": (leak,)}}),
        ("headers", {"email": {"problems": (leak,)}}),
        ("raw_content", {"content_problems": (leak,)}),
        ("address_syntax", {"recipient": {"address_problem": leak}}),
        ("sender_matches", {"email": {"from_asked": SECRET_ADDRESS}}),
    ]:
        document = json.dumps(run(name, **changes).to_document())
        assert SECRET_ADDRESS not in document
        assert "secret" not in document


def test_a_spent_limit_says_whose_of_what_and_how_long() -> None:
    verdict = run("rate_recipient", rates=rates(recipient_day=5))
    assert verdict.sentence == (
        "This recipient has used 5 of its 5 messages of this template today, and this request asks for 1 more. "
        "Send it again in 30 minutes."
    )
    assert verdict.retry_after == 1800
    assert "of this template" in run("rate_recipient").sentence
    assert "of this template" not in run("rate_key", rates=rates(key_hour=1_000)).sentence


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "1 second"),
        (59, "59 seconds"),
        (61, "2 minutes"),
        (3600, "1 hour"),
        (3601, "1 hour and 1 minute"),
        (48_217, "13 hours and 24 minutes"),
    ],
)
def test_a_wait_is_told_in_hours_and_minutes_and_never_too_short(seconds: int, words: str) -> None:
    assert spoken(seconds) == words
