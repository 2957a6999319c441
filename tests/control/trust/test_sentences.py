"""Every number of the trust centres is in its sentence, and every number of a sentence is the policy's own."""

import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from troth.control.trust import catalogue, promised, wording
from troth.rules.policy import value_of
from troth.rules.profile import PROFILES, load_profile

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "claims.toml"
ROW = """[[claim]]
id = "X-1"
section = "s"
scope = "programme"
kind = "probed"
chapter = "email"
owner = "security"
audience = "public"
frameworks = []
profiles = ["property", "retail"]
says = "A {access.sessions} and {access.idle_minutes:span}."
retail = "B {access.sessions}."
"""
_DAY = 24 * 60
_UNITS = {"min": 1, "minutes": 1, "h": 60, "hours": 60, "day": _DAY, "days": _DAY, "months": 365 * _DAY / 12, "%": "%",
          "business day": "business days", "business days": "business days", "business hours": "business hours"}  # fmt: skip
_QUANTITY = re.compile(
    r"(\d+(?:\.\d+)?)(?:\s*(%|business days?|business hours|min(?:utes)?\b|h(?:ours)?\b|days?\b|months\b))?"
)
_WORDS = {"two": "2", "three": "3"}
_RHYTHMS = ("weekly", "monthly", "quarterly")
_REGION = re.compile(r"[a-z]{2}-[a-z]+-\d")
CASES = [(profile, claim) for profile in PROFILES for claim in catalogue.claims() if claim.promised_by(profile)]


def plain(text):
    """One way of writing numbers: no thousands separators, no words, no names that have a digit."""
    text = re.sub(r"(?<=\d),(?=\d{3})", "", text.replace("\N{NO-BREAK SPACE}", " "))
    for word, digit in _WORDS.items():
        text = re.sub(rf"\b{word}\b", digit, text)
    for name in wording.STANDARDS:
        text = text.replace(name, "")
    return text


def quantities(text):
    """(number, unit) of each; lengths on the clock in minutes, so that 60 min is 1 h and 12 months are 365 days."""
    found = set()
    for number, unit in _QUANTITY.findall(_REGION.sub("", plain(text))):
        size = _UNITS.get(unit, "")
        found.add((round(float(number) * size), "min") if isinstance(size, int | float) else (float(number), size))
    return found


def missing(value, sentence):
    """What a trust centre's own words have, in numbers, that the sentence has not."""
    told = quantities(sentence)
    bare = {float(number) for number, _ in _QUANTITY.findall(plain(sentence))}
    wanted = {each for each in quantities(value) if each not in told and not (each[1] == "" and each[0] in bare)}
    words = {each for each in (*_RHYTHMS, *_REGION.findall(value)) if each in value and each not in sentence}
    return wanted | words


@pytest.fixture(scope="module")
def rows():
    if not SHARED.exists():
        pytest.skip("the shared claims are not beside this repository")
    return {row["id"]: row for row in tomllib.loads(SHARED.read_text())["claim"]}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_number_of_a_trust_centre_is_in_its_sentence(rows, profile):
    looked = 0
    for name, row in rows.items():
        if profile in row:
            looked += bool(quantities(row[profile]))
            assert not missing(row[profile], catalogue.shipped(name, profile)), name
    assert looked > 15


def test_a_number_that_is_not_there_would_be_found(rows):
    assert missing("3 in 48 h", "at most 3 times within 24 h") == {(2880, "min")}
    assert missing("< 0.03 %, target < 0.05 %", "less than 0.03 %") == {(0.05, "%")}
    assert missing("about 11,750", "About 11,751 messages") == {(11_750.0, "")}
    assert missing("quarterly", "every 92 days") == {"quarterly"}
    assert missing("us-east-1, three zones", "eu-west-2, 3 zones") == {"us-east-1"}
    assert missing("triage 60 min; 12 months", "within 1 h, for 365 days") == set()
    assert not missing(rows["EML-12"]["retail"], "About 9,900 messages")


@pytest.mark.parametrize("profile", PROFILES)
def test_every_number_is_written_as_the_trust_centre_writes_it(rows, profile):
    for name, row in rows.items():
        told = set(re.findall(r"\d[\d,.]*\d|\d", catalogue.shipped(name, profile))) if profile in row else set()
        assert set(re.findall(r"\d[\d,.]*\d|\d", row.get(profile, ""))) <= told, name


@pytest.mark.parametrize("profile", PROFILES)
def test_every_number_of_a_sentence_is_the_policys(profile):
    for each in promised.said(load_profile(profile).policy, profile):
        rest = each.sentence
        for name in wording.STANDARDS:
            rest = rest.replace(name, "")
        told = re.findall(r"\d[\d,.]*\d|\d", rest)
        assert tuple(told) == each.numbers, each.claim.id


def other(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, tuple):
        return tuple(each + 1 for each in value) if isinstance(value[0], int) else value[1:]
    return {"slow": "stop-new", "stop-new": "slow", "stop-delivery": "slow"}.get(value, "7 min")


@pytest.mark.parametrize(("profile", "claim"), CASES, ids=lambda each: getattr(each, "id", each))
def test_another_value_makes_another_sentence(profile, claim):
    policy = load_profile(profile).policy
    for path in wording.paths(claim.says[profile]):
        section, name = path.split(".")
        value = value_of(policy, path)
        changed = (*value, 9) if path == "bounce.soft_retry_minutes" else other(value)
        moved = replace(policy, **{section: replace(getattr(policy, section), **{name: changed})})
        assert claim.sentence(moved, profile) != claim.sentence(policy, profile), path


def test_no_template_says_a_number_of_its_own():
    for claim in catalogue.claims():
        for template in claim.says.values():
            assert wording.problem(template) is None, claim.id
    assert all(reason for reason in wording.STANDARDS.values())
    used = " ".join(template for claim in catalogue.claims() for template in claim.says.values())
    assert [name for name in wording.STANDARDS if name not in used] == []


@pytest.mark.parametrize(
    ("says", "wrong"),
    [
        ("within 30 minutes", "comes from no policy"),
        ("{access.idle}", "no field of a policy"),
        ("{access.idle_minutes:loud}", "no way of writing"),
        ("{Access.sessions}", "comes from no policy"),
        ("a brace }", "comes from no policy"),
    ],
)
def test_a_wrong_template_is_told(says, wrong):
    with pytest.raises(ValueError, match=wrong):
        catalogue.parse(ROW.replace("A {access.sessions} and {access.idle_minutes:span}.", says))


def test_a_profile_may_say_it_in_its_own_words():
    (made,) = catalogue.parse(ROW)
    assert made.shipped("property").replace("\N{NO-BREAK SPACE}", " ") == "A 5 and 30 min."
    assert made.shipped("retail") == "B 5."
    assert not made.promised_by("construction")


@pytest.mark.parametrize(
    ("template", "section", "values", "told"),
    [
        ("{governance.approvers:approved}", "governance", {"approvers": 1}, "a second authorised person has approved it"),
        ("{governance.approvers:approved}", "governance", {"approvers": 2}, "2 further authorised people have approved it"),
        ("{access.review_days:every}", "access", {"review_days": 60}, "every 60 days"),
        ("{access.review_days:every}", "access", {"review_days": 92}, "every 92 days (quarterly)"),
        ("{records.access_days:months}", "records", {"access_days": 730}, "24 months"),
        ("{records.access_days:months}", "records", {"access_days": 400}, "400 days"),
        ("{records.access_days:months}", "records", {"access_days": 90}, "90 days"),
        ("{recipients.pathways:ways}", "recipients", {"pathways": ("system",)}, "any accepted way"),
        ("{cases.complaint_told}", "cases", {"complaint_told": "none"}, "no set time"),
        ("{hosting.region}", "hosting", {"region": "eu-west-2"}, "eu-west-2"),
        ("{targets.bounce_ppm:share}", "targets", {"bounce_ppm": 18_500}, "1.85 %"),
    ],
)  # fmt: skip
def test_a_value_is_written_as_people_say_it(template, section, values, told):
    policy = load_profile("property").policy
    moved = replace(policy, **{section: replace(getattr(policy, section), **values)})
    assert wording.filled(template, moved)[0].replace("\N{NO-BREAK SPACE}", " ") == told
