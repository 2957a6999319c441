"""Feedback: every webhook of Mailgun and SES in the shared corpus is the event that it is expected to be."""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from troth.mail import relay_mailgun, relay_ses
from troth.mail.relay_facts import Fact
from troth.mail.relay_form import Fields

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "webhooks" / "anymail" / "payloads.jsonl"
PLAIN = {
    "event_type": "word", "recipient": "recipient", "reject_reason": "reason", "message_id": "message_id",
    "event_id": "event_id", "description": "description", "mta_response": "response", "click_url": "url",
    "user_agent": "user_agent",
}  # fmt: skip
KEY = b"key-of-the-webhooks"
FORM = "application/x-www-form-urlencoded"


def cases(provider: str) -> list[Mapping[str, Any]]:
    """The provider's cases; without the corpus one that is skipped."""
    if not CORPUS.exists():
        return [{"test": "no corpus"}]
    given = map(json.loads, CORPUS.read_text(encoding="utf-8").splitlines())
    return [case for case in given if case["provider"] == provider]


@pytest.mark.parametrize("case", cases("mailgun"), ids=lambda case: case["test"])
def test_mailgun(case: Mapping[str, Any]) -> None:
    if "payload" not in case:
        pytest.skip("the shared corpora are not here")
    raw, metadata = _sign(dict(case["payload"]["raw_event"])), case["payload"].get("metadata", {})
    if "event-data" in raw:
        read = relay_mailgun.read_json(json.dumps(raw).encode())
    else:
        octets = urlencode([*_pairs(metadata), *_pairs(raw)]).encode()
        read = relay_mailgun.read_form(FORM, octets)
        assert relay_mailgun.form_fact(Fields.read(FORM, octets)) == read.fact
    assert read.signature.holds([b"another", KEY])
    assert not read.signature.holds([b"another"])
    _as_expected(read.fact, case["expect"], case["payload"])


@pytest.mark.parametrize("case", cases("amazon_ses"), ids=lambda case: case["test"])
def test_ses(case: Mapping[str, Any]) -> None:
    if "payload" not in case:
        pytest.skip("the shared corpora are not here")
    event, sns = case["payload"].get("raw_ses_event"), case["payload"].get("raw_sns_message", {})
    assert event is not None
    [fact] = relay_ses.facts(event, sns.get("MessageId", ""), relay_ses.moment(sns.get("Timestamp")))
    _as_expected(fact, case["expect"], case["payload"])


def _pairs(fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, each) for name, value in fields.items() for each in (value if isinstance(value, list) else [value])]


def _as_expected(fact: Fact, expect: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
    for key, wanted in expect.items():
        if key in PLAIN:
            assert getattr(fact, PLAIN[key]) == wanted, key
        elif key == "tags":
            assert list(fact.tags) == wanted
        elif key == "metadata":
            assert fact.metadata == _meant(wanted, payload)
        elif key.startswith("timestamp"):
            assert fact.at == _time(wanted)
        elif key == "esp_event['event-data']['id']":
            assert fact.key == wanted
        else:
            assert key == "esp_event", key


def _meant(wanted: object, payload: Mapping[str, Any]) -> object:
    """`<<metadata>>` names a part of the payload."""
    named = re.fullmatch(r"<<(\w+)>>", wanted) if isinstance(wanted, str) else None
    return payload[named[1]] if named else wanted


def _time(wanted: str) -> datetime:
    numbers = re.fullmatch(r"<<datetime\((.*), microsecond=(\d+), tzinfo=timezone.utc\)>>", wanted)
    if numbers is None:
        return datetime.fromisoformat(wanted)
    year, month, day, *clock = map(int, numbers[1].split(","))
    hour, minute, second = clock
    return datetime(year, month, day, hour, minute, second, int(numbers[2]), UTC)


def _sign(raw: dict[str, Any]) -> dict[str, Any]:
    """With a signature by our key where the corpus leaves it out, as Mailgun sends it."""
    inner = raw.setdefault("signature", {}) if "event-data" in raw else raw
    inner.setdefault("timestamp", "1534108637")
    inner.setdefault("token", "651869375b9df3c98fc15c4889b102119add1235c38fc92824")
    inner["signature"] = hmac.digest(KEY, f"{inner['timestamp']}{inner['token']}".encode(), "sha256").hex()
    return raw
