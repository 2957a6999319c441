"""Policies in words: every field has a sentence for every value, and differences are told and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.rules.test_policy import values
from tests.rules.world import POLICY

from troth.rules import policy_words as words
from troth.rules.policy import FIELDS, SECTIONS, Field, to_document, value_of
from troth.rules.profile import PROFILES, load_profile


@given(st.sampled_from(FIELDS), st.data())
def test_every_value_of_every_field_is_a_sentence(field: Field, data: st.DataObject) -> None:
    told = words.sentence(field.path, data.draw(values(field)))
    assert told
    assert told[0].isupper()
    assert told[-1] not in ". "


def test_two_values_never_read_the_same() -> None:
    for field in FIELDS:
        told = {}
        for name in PROFILES:
            value = value_of(load_profile(name).policy, field.path)
            assert told.setdefault(words.sentence(field.path, value), value) == value


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        ("limits.tenant_hour", 5000, "At most 5,000 messages in an hour"),
        ("limits.tenant_hour", 1, "At most 1 message in an hour"),
        ("limits.tenant_hour", 0, "No message in an hour"),
        ("bounce.soft_retry_minutes", (60, 360, 2160), "A bounce that may pass is tried again after 1 h, 6 h and 36 h"),
        ("bounce.soft_window_minutes", 2880, "After 48 h of such bounces the address counts as bad"),
        ("delivery.lifetime_minutes", 4320, "A message that could not be delivered is given up after 3 days"),
        ("anomaly.percent", 150, "Act when today exceeds 150 % of the 7-day average"),
        ("content.message_bytes", 10_485_760, "A message is at most 10 MiB"),
        ("content.variable_bytes", 32_768, "A message's variables are at most 32 KiB"),
        ("content.variable_bytes", 1_001, "A message's variables are at most 1,001 bytes"),
        ("content.attachment_types", ["a/b", "image/png"], "Attachments may be a/b or PNG"),
        ("content.attachment_types", [], "No attachment is taken"),
        ("governance.approvers", 1, "One other person approves each change"),
        ("governance.approvers", 2, "Two other people approve each change"),
        ("access.key_overlap_hours", 0, "A rotation ends the old key at once"),
        ("domain.grace_minutes", 90, "While the DNS does not answer, its last good answer stands for 90 min"),
        ("installation.relay_tls", "tls1.3", "Mail goes to a relay over TLS 1.3 or newer"),
    ],
)
def test_a_number_is_told_as_people_say_it(path: str, value: object, told: str) -> None:
    assert words.sentence(path, value).replace("\N{NO-BREAK SPACE}", " ") == told


def test_the_share_names_what_happens_then() -> None:
    told = words.sentence("anomaly.percent", 150, POLICY.anomaly.action).replace("\N{NO-BREAK SPACE}", " ")
    assert told == "Pause new mail when today exceeds 150 % of the 7-day average"


def test_what_differs_is_told_with_both_values_and_nothing_else() -> None:
    before = {"limits": {"tenant_hour": 100, "key_hour": 5}, "access": {"sessions": 3}}
    after = {"limits": {"tenant_hour": 90, "key_hour": 5}, "governance": {"approvers": 2}}
    told = {row[3]: row[1:3] for row in words.changes(before, after)}
    assert told == {
        "limits.tenant_hour": (words.sentence("limits.tenant_hour", 100), words.sentence("limits.tenant_hour", 90)),
        "governance.approvers": ("", words.sentence("governance.approvers", 2)),
        "access.sessions": (words.sentence("access.sessions", 3), ""),
    }
    assert words.changes(after, after) == []
    assert len(words.changes(None, to_document(POLICY))) == len(FIELDS)


def test_a_value_that_is_no_longer_written_so_is_told_as_it_stands() -> None:
    assert words.changes(None, {"installation": {"relay_tls": 7}})[0][2] == "7"
    assert words.changes(None, {"anomaly": {"action": "panic"}})[0][2] == "panic"


def test_every_section_has_a_heading_and_every_claim_a_field() -> None:
    assert list(words.GROUPS) != []
    assert set(words.GROUPS) == set(SECTIONS)
    assert set(words.LEADS) == {field.path for field in FIELDS}
    assert [words.word(each) for each in ("spf", "image/png", "a/b")] == ["SPF", "PNG", "a/b"]
    assert set(words.CLAIMS) <= {field.path for field in FIELDS}
