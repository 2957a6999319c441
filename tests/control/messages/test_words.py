"""What happened to a message, in order and in words: only what was written down is said."""

from datetime import UTC, datetime

import pytest

from troth.control.messages.words import CHECKS, bare, happened, headerless, in_order, verdicts
from troth.rules.chain import CHAIN
from troth.rules.states import Kind, State

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def ordered(*told):
    return [(each.kind, each.source_key) for each in in_order([happened(k, s, AT, {}) for k, s in reversed(told)])]


@pytest.mark.parametrize(
    "told",
    [
        ((Kind.ACCEPTED, "gate"), (Kind.HELD, "gate")),
        ((Kind.ACCEPTED, "gate"), (Kind.QUEUED, "gate")),
        ((Kind.UNCERTAIN, "attempt:1"), (Kind.QUEUED, "attempt:1")),
        ((Kind.UNCERTAIN, "attempt:1"), (Kind.HELD, "attempt:1")),
        ((Kind.QUEUED, "claim:2"), (Kind.UNCERTAIN, "attempt:1"), (Kind.QUEUED, "attempt:1")),  # a hold was over
        ((Kind.RELEASED, "claim:2"), (Kind.UNCERTAIN, "attempt:1"), (Kind.HELD, "attempt:1")),
        ((Kind.QUEUED, "claim:2"), (Kind.BOUNCED, "attempt:1")),
    ],
)
def test_events_of_one_instant_stand_in_the_order_of_life(told):
    assert ordered(*told) == list(told)


def test_a_worker_is_lost_only_where_the_record_says_so():
    says = {why: happened(Kind.UNCERTAIN, "attempt:1", AT, {"reason": why} if why else {}).says
            for why in ("worker-lost", "answer-lost", "")}  # fmt: skip
    assert [why for why, text in says.items() if "worker" in text] == ["worker-lost"]
    assert "the answer was lost" in says["answer-lost"]


@pytest.mark.parametrize(
    ("state", "told", "said"),
    [
        (State.QUEUED, {Kind.ACCEPTED}, "once the next hop has answered"),
        (State.DEFERRED, {Kind.DEFERRED}, "once the next hop has answered"),
        (State.BOUNCED, {Kind.BOUNCED}, "It was refused before"),
        (State.EXPIRED, {Kind.EXPIRED}, "It never went"),
        (State.HELD, {Kind.UNCERTAIN, Kind.HELD}, "It may have gone"),
        (State.BOUNCED, {Kind.UNCERTAIN, Kind.BOUNCED}, "It may have gone"),
    ],
)
def test_a_missing_header_is_explained_as_it_is(state, told, said):
    assert said in headerless(state, told)


def test_every_check_of_the_gate_has_words():
    codes = [check.__module__.rpartition(".")[2] for check in CHAIN]
    assert sorted(codes) == sorted(CHECKS)
    assert len(set(CHECKS.values())) == len(CHECKS)
    named, unknown = verdicts({"verdicts": [{"check": "key_live"}, {"check": "of_a_later_version"}]})
    assert (named.check, unknown.check) == ("API key live", "Of a later version")


def test_a_report_is_quoted_as_a_reply_is():
    at = AT
    said = {
        "status": "5.1.1",
        "diagnostic": "550 5.1.1 no such user",
        "via": "dsn",
        "reason": "hard",
        "place": {"x": 1},
    }
    one = happened(Kind.BOUNCED, "dsn:1", at, said)
    assert one.reply == "550 5.1.1 no such user"
    assert one.rest == [("Via", "dsn")]
    assert happened(Kind.BOUNCED, "dsn:1", at, said | {"diagnostic": "User unknown"}).reply == "5.1.1 User unknown"
    assert happened(Kind.BOUNCED, "dsn:1", at, said | {"diagnostic": ""}).reply == "5.1.1"
    assert "diagnostic" not in bare(said)
