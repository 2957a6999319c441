"""The closed list of webhook types: every kind has its decision, the documentation tells it, the database holds it."""

import re
from pathlib import Path

import pytest

from troth.rules import hook_events
from troth.rules.hook_events import (
    ALL_KINDS,
    RECIPIENTS,
    SENDING,
    TYPES,
    WEBHOOKS,
    Silent,
    Told,
    kinds_of,
    meaning_of,
    type_of,
    types_of,
)
from troth.rules.states import Kind

ROOT = Path(__file__).resolve().parents[2]
RESEND = {"email.sent", "email.delivered", "email.delivery_delayed", "email.complained", "email.bounced", "email.failed",
          "email.suppressed"}  # fmt: skip


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_type_or_a_reason_to_be_silent(kind):
    told = WEBHOOKS[kind]
    assert len((told.why if isinstance(told, Silent) else told.meaning).split()) >= 4
    assert type_of(kind) == (told.type if isinstance(told, Told) else None)


def test_no_two_kinds_share_a_type_and_resends_are_resends():
    assert (
        len(TYPES)
        == len(ALL_KINDS)
        == sum(isinstance(told, Told) for told in (*WEBHOOKS.values(), *RECIPIENTS.values(), *SENDING.values()))
    )
    assert {told.type for told in WEBHOOKS.values() if isinstance(told, Told) and told.resend} == RESEND
    assert all(re.fullmatch(r"(email|recipient|sending)\.[a-z_]+", name) for name in TYPES)
    assert type_of(hook_events.TEST_KIND) == "webhook.test"


def test_types_and_kinds_are_each_others_way_back():
    assert types_of(ALL_KINDS) == tuple(TYPES)
    assert all(type_of(kind) == name and meaning_of(name).endswith(".") for name, kind in TYPES.items())
    assert kinds_of(TYPES) == ALL_KINDS
    assert kinds_of(["email.sent", "email.sent"]) == (Kind.SENT,)
    with pytest.raises(ValueError, match=r"email\.opened"):
        kinds_of(["email.sent", "email.opened"])


def test_the_database_knows_the_same_kinds():
    text = (ROOT / "src/troth/control/webhooks/sql/0001_webhooks.sql").read_text()
    listed = re.findall(r"'\{([0-9,]+)\}'", text)
    assert len(listed) == 2
    assert {tuple(map(int, each.split(","))) for each in listed} == {ALL_KINDS}


def test_the_page_has_the_list():
    assert hook_events.webhooks_markdown() in (ROOT / "docs/webhooks.md").read_text()
