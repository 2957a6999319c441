"""Changes by the command line: two people for each, what cannot stand refused in words, stopped by one person."""

import json

import pytest
from tests.support.desk import CATEGORY, TEMPLATE

from troth.rules.profile import load_profile


def test_a_template_is_approved_as_it_was_shown(desk):
    made = desk.propose("template", "quill", "rent-due", TEMPLATE)
    shown = desk.ok("change", "show", made["change"])
    assert made["digest"] in shown
    assert '+  "subject": "Rent for {{ month }}"' in shown
    assert "look again" in desk.refused("change", "approve", made["change"], "--digest", "ab" * 32, *desk.as_owner(2))
    desk.approve(made)
    edited = desk.propose("template", "quill", "rent-due", TEMPLATE | {"subject": "Rent, {{ month }}"})
    assert edited["subject"] == made["subject"]
    shown = desk.ok("change", "show", edited["change"])
    assert '-  "subject": "Rent for {{ month }}"' in shown
    assert '+  "subject": "Rent, {{ month }}"' in shown
    assert "withdrawn" in desk.ok("change", "close", edited["change"], "--note", "no", *desk.as_owner(1))
    assert "no longer open" in desk.refused(
        "change", "approve", edited["change"], "--digest", edited["digest"], *desk.as_owner(2)
    )


@pytest.mark.parametrize(
    ("part", "source", "says"),
    [
        ("html", "{{ month ~ month }}", "~"),
        ("html", "{% for a in range(1000000) %}x{% endfor %}", "html"),
        ("subject", "{{ unknown }}", "subject"),
        ("html", "{% autoescape false %}{{ month }}{% endautoescape %}", "always escaped"),
    ],
)
def test_a_template_bomb_is_refused_in_words(desk, part, source, says):
    err = desk.refuse_artefact("template", "quill", "bomb", TEMPLATE | {part: source})
    assert "nothing was proposed" in err
    assert says in err


@pytest.mark.parametrize(
    ("kind", "tenant", "code", "artefact", "says"),
    [
        ("category", "quill", "rent", {"name": "x"}, "missing required field"),
        ("category", "quill", "rent", CATEGORY | {"extra": 1}, "unknown field"),
        ("category", "quill", "Rent!", CATEGORY, "a-z"),
        ("category", "-", "rent", CATEGORY, "Name the client"),
        ("category", "quill", "rent", CATEGORY | {"sender": {"name": "Q", "address": "rent@"}}, "sender.address"),
        ("category", "quill", "rent", CATEGORY | {"sender": {"name": "Q\n", "address": "r@q.example"}}, "sender.name"),
        ("category", "quill", "rent", CATEGORY | {"legal_class": "spam"}, "legal_class"),
        ("category", "quill", "rent", CATEGORY | {"policy": {"limits": {"tenant_hour": 10**6}}}, "may only"),
        ("category", "quill", "rent", CATEGORY | {"policy": {"limits": {"no_such": 1}}}, "not a field"),
        ("template", "quill", "t", TEMPLATE, "2 to 63"),
        ("template", "quill", "other", TEMPLATE | {"category": "none"}, "no such category"),
        ("policy", "-", "programme:property", {"limits": {"tenant_hour": 1}}, "is missing"),
        ("policy", "-", "programme:other", load_profile("retail").document, "programme:property"),
        ("policy", "quill", "other", {}, "tenant for a client's own"),
        ("policy", "quill", "tenant", {"limits": {"tenant_hour": 10**6}}, "may only"),
        ("policy", "quill", "tenant", {"bounce": {"soft_window_minutes": 0}}, "must be from 1 to 20160, not 0"),
        ("policy", "-", "operator", {"recipients": {"pathways": []}}, "nobody could be mailed"),
        ("policy", "quill", "tenant", {"limits": {"template_hour": 50}}, "category rent"),
        ("policy", "-", "operator", {"limits": {"template_hour": 50}}, "category rent"),
        ("programme", "-", "other", {"name": "O", "profile": "none", "domain": "o.example"}, "profiles are"),
        ("programme", "-", "other", {"name": "", "profile": "retail", "domain": "O.example"}, "lower case"),
        ("programme", "quill", "other", {"name": "O", "profile": "retail", "domain": "o.example"}, "no client"),
        ("domain", "quill", "quill.example", {"name": "other.example", "selector": "s"}, "code is its name"),
        ("domain", "quill", "quill", {"name": "quill", "selector": "S!"}, "selector"),
        ("release", "quill", "x", {"all": True}, "unknown field"),
        ("override", "quill", "x", {"blind_index": "xx", "expires_at": "2020-01-01T00:00:00Z"}, "time to come"),
        (
            "override",
            "quill",
            "x",
            {"blind_index": "ab" * 32, "expires_at": "2099-01-01T00:00:00Z"},
            "within 168 hours",
        ),
        (
            "api-key",
            "quill",
            "k",
            {"name": "k", "prefix": "x", "hash": "x", "expires_at": "2020-01-01T00:00:00Z"},
            "passed",
        ),
        ("grant", "quill", "g", {"human": "x"}, "human"),
        ("nothing", "-", "x", {}, "The kinds are"),
    ],
)
def test_what_cannot_stand_is_refused_before_anybody_is_asked(desk, kind, tenant, code, artefact, says):
    before = desk.json("change", "list")
    assert says in desk.refuse_artefact(kind, tenant, code, artefact)
    assert desk.json("change", "list") == before


def test_a_file_that_is_no_artefact_is_refused(desk):
    for text, says in (("{", "not JSON"), ("[]", "no JSON object"), ('{"a": 1, "a": 2}', "stands twice"),
                       ('{"a": 1.5}', "nothing was proposed")):  # fmt: skip
        assert says in desk.refuse_artefact("release", "-", "x", text)
    assert "cannot be read" in desk.refused(
        "change", "propose", "release", "--code", "x", "--artefact", "none.json", "--reason", "x", *desk.as_owner(1)
    )


def test_a_pause_is_one_persons_and_its_release_two_peoples(desk):
    started = desk.json("pause", "start", "--tenant", "quill", "--reason", "trouble", *desk.as_owner(1))["pause"]
    assert [each["id"] for each in desk.json("pause", "list")] == [started]
    made = desk.json("change", "propose", "release", "--tenant", "quill", "--code", started, "--subject", started,
                     "--artefact", desk.file("empty.json", {}), "--reason", "over", *desk.as_owner(1))  # fmt: skip
    assert desk.json("pause", "list") != []
    desk.approve(made)
    assert desk.json("pause", "list") == []


def test_a_pause_is_lifted_by_its_id_alone(desk):
    started = desk.json("pause", "start", "--tenant", "-", "--reason", "all stop", *desk.as_owner(1))["pause"]
    assert "troth pause release " in desk.ok("pause", "start", "--tenant", "-", "--reason", "more", *desk.as_owner(1))
    for each in desk.json("pause", "list"):
        desk.approve(desk.json("pause", "release", each["id"], "--reason", "over", *desk.as_owner(1)))
    assert desk.json("pause", "list") == []
    assert "There is no pause" in desk.refused("pause", "release", started, "--reason", "again", *desk.as_owner(1))


def test_a_clock_that_is_right_has_nothing_to_take_back(desk):
    args = ("pause", "clock", "--reason", "NTP was wrong", *desk.as_owner(1))
    assert "there is nothing to take back" in desk.refused(*args).lower()


def test_a_category_is_stopped_alone(desk):
    args = ("pause", "start", "--tenant", "quill", "--reason", "wrong sum", *desk.as_owner(1))
    started = desk.json(*args, "--category", "rent")["pause"]
    (found,) = desk.json("pause", "list")
    assert (found["id"], found["category_id"] is None) == (started, False)
    desk.approve(desk.json("pause", "release", started, "--reason", "right again", *desk.as_owner(1)))
    assert "There is no category 'none' here" in desk.refused(*args, "--category", "none")
    assert "open a session" in desk.refused(*args[:-4]) or "No session is open" in desk.refused(*args[:-4])


def test_a_version_is_stopped_by_one_person(desk):
    made = desk.propose("template", "quill", "stopped", TEMPLATE)
    version = json.loads(
        desk.ok("change", "approve", made["change"], "--digest", made["digest"], *desk.as_owner(2), "--json")
    )["version"]
    said = desk.ok("version", "revoke", version, "--tenant", "quill", "--reason", "wrong", *desk.as_owner(1))
    assert "Stopped for good" in said
    assert "no such version" in desk.refused(
        "version", "revoke", made["change"], "--tenant", "quill", "--reason", "x", *desk.as_owner(1)
    )


def test_a_clients_own_people_approve_their_templates_and_nothing_of_the_operators(desk):
    for name, role in (("author", "author"), ("approver", "approver")):
        made = desk.json("person", "add", f"{name} <{name}@quill.example>", "--role", role, "--tenant", "quill",
                         "--out", f"{name}.credential", *desk.as_owner(1))  # fmt: skip
        desk.approve(made)
        (desk.folder / f"{name}-words").write_text(made["passphrase"])
        (desk.folder / f"{name}-words").chmod(0o600)
    author = ("--credential", "author.credential", "--passphrase-file", "author-words")
    approver = ("--credential", "approver.credential", "--passphrase-file", "approver-words")
    made = desk.json("change", "propose", "template", "--tenant", "quill", "--code", "own", "--artefact",
                     desk.file("artefact.json", TEMPLATE), "--reason", "ours", *author)  # fmt: skip
    words = ("change", "approve", made["change"], "--digest", made["digest"])
    assert "may not do this here (template:approve)" in desk.refused(*words, *author)
    assert "Approved" in desk.ok(*words, *approver)
    policy = desk.propose("policy", "quill", "tenant", {"limits": {"tenant_hour": 900}})
    words = ("change", "approve", policy["change"], "--digest", policy["digest"])
    assert "may not do this here (policy:approve)" in desk.refused(*words, *approver)
    desk.approve(policy)
    assert "may not do this here (policy:propose)" in desk.refused(
        "change", "propose", "policy", "--tenant", "quill", "--code", "tenant", "--artefact",
        desk.file("artefact.json", {"limits": {"tenant_hour": 800}}), "--reason", "x", *author,
    )  # fmt: skip
    assert "The roles here are admin" in desk.refused(
        "person", "add", "x <x@quill.example>", "--role", "owner", "--tenant", "quill", "--out", "x", *desk.as_owner(1)
    )
