"""The wire's shapes: each mistake its own problem, its field, its way out."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.flow.gate.asks import EmailAsked
from troth.flow.submission import wire
from troth.flow.submission.asking import asked
from troth.flow.submission.problem import Problem
from troth.flow.submission.when import parse_iso

OK = {"to": "a@example.net", "subject": "Hello", "text": "Hello"}


def ask(**fields):
    body = {key: value for key, value in {**OK, **fields}.items() if value is not ...}
    return asked(wire.email(json.dumps(body).encode()), parse_iso)


def problem(**fields):
    with pytest.raises(Problem) as caught:
        ask(**fields)
    return caught.value


def attached(**fields):
    return [{"filename": "a.pdf", "content": "YQ==", **fields}]


@pytest.mark.parametrize(
    ("fields", "slug", "field"),
    [
        ({"to": ...}, "missing-field", "to"),
        ({"to": []}, "no-recipient", "to"),
        ({"to": 1}, "bad-type", "to"),
        ({"to": None}, "bad-type", "to"),
        ({"to": ["a@b.example", 2]}, "bad-type", "to[1]"),
        ({"to": [f"a{n}@b.example" for n in range(49)], "cc": "c@b.example", "bcc": "d@b.example"}, "too-many-recipients", "to"),
        ({"sbject": "x"}, "unknown-field", "sbject"),
        ({"topic_id": "x"}, "unknown-field", "topic_id"),
        ({"headers": {"X-A": 1}}, "bad-type", "headers"),
        ({"headers": []}, "bad-type", "headers"),
        ({"tags": [{"name": "a"}]}, "missing-field", "tags[0].value"),
        ({"tags": [{"name": "a", "valu": "b", "value": "b"}]}, "unknown-field", "tags[0].valu"),
        ({"tags": [{"name": "a", "value": "b"}] * 2}, "bad-value", "tags[1].name"),
        ({"subject": ...}, "missing-field", "subject"),
        ({"text": ...}, "missing-field", "html"),
        ({"template": {"id": "t"}}, "content-conflict", "subject"),
        ({"template": {"id": "t"}, "subject": ...}, "content-conflict", "text"),
        ({"template": {}}, "missing-field", "template.id"),
        ({"template": {"id": 1}}, "bad-type", "template.id"),
        ({"reply_to": "a@b.example", "replyTo": "a@b.example"}, "bad-value", "reply_to"),
        ({"scheduled_at": "2026-12-01"}, "schedule-unreadable", "scheduled_at"),
        ({"attachments": attached(content="not base64")}, "bad-base64", "attachments[0].content"),
        ({"attachments": attached(content="YQ")}, "bad-base64", "attachments[0].content"),
        ({"attachments": attached(content="_-8=")}, "bad-base64", "attachments[0].content"),
        ({"attachments": attached(content="data:application/pdf;base64,YQ==")}, "bad-base64", "attachments[0].content"),
        ({"attachments": attached(content=[1, 256])}, "bad-value", "attachments[0].content"),
        ({"attachments": attached(content=[1, "a"])}, "bad-type", "attachments[0].content[1]"),
        ({"attachments": attached(content=None)}, "missing-field", "attachments[0].content"),
        ({"attachments": attached(filename=None)}, "missing-field", "attachments[0].filename"),
        ({"attachments": attached(path="http://169.254.169.254/")}, "attachment-path", "attachments[0].path"),
        ({"attachments": attached(disposition="x")}, "unknown-field", "attachments[0].disposition"),
    ],
)  # fmt: skip
def test_each_mistake_has_its_type_and_field(fields, slug, field):
    found = problem(**fields)
    assert (found.slug, found.field) == (slug, field)
    assert found.sentence.endswith((".", "?"))


def test_the_nearest_known_name_is_told():
    assert "`subject`" in problem(sbject="x").sentence
    assert "`reply_to`" in problem(replay_to="x").sentence
    assert "`content_type`" in problem(attachments=attached(contentType="x")).sentence
    assert problem(zzzz="x").sentence.endswith("Remove it; nothing was sent.")


@pytest.mark.parametrize(
    ("read", "body", "way_out"),
    [
        (wire.recipient, b'{"email":"a@b.example","zzzz":1}', "Remove it; nothing was registered."),
        (wire.recipient, b'{"email":"a@b.example","consent":{"wordin":1}}', "Did you mean `wording`?"),
        (wire.reschedule, b'{"zzzz":1}', "Remove it; nothing was changed."),
    ],
)
def test_an_unknown_field_says_what_was_not_done(read, body, way_out):
    with pytest.raises(Problem) as caught:
        read(body)
    assert caught.value.slug == "unknown-field"
    assert caught.value.sentence.endswith(way_out)


@pytest.mark.parametrize(("body", "slug"), [(b"[]", "bad-type"), (b'"x"', "bad-type"), (b'{"to":1e999}', "bad-value")])
def test_a_body_of_another_shape(body, slug):
    with pytest.raises(Problem) as caught:
        wire.email(body)
    assert caught.value.slug == slug


def test_a_batch_is_a_bare_array():
    assert [wire.email(part).to for part in wire.batch(b'[{"to":"a"},{"to":["b"]}]')] == ["a", ["b"]]
    with pytest.raises(Problem, match="bad-type"):
        wire.batch(b'{"emails":[]}')


def test_everything_that_resends_clients_send_is_understood():
    email = ask(
        **{"from": "A <a@b.example>", "to": ["x@example.net", "y@example.net"], "cc": "c@example.net", "bcc": ["d@example.net"],
           "replyTo": "r@example.net", "html": "<p>x</p>", "headers": {"X-A": "1"}, "scheduled_at": "2030-01-01T00:00:00Z",
           "tags": [{"name": "category", "value": "rent"}],
           "attachments": [
               {"filename": "a.pdf", "content": base64.b64encode(b"abc").decode()},
               {"filename": "b.bin", "content": [0, 255], "content_type": "text/plain", "content_id": "img", "path": None},
               {"filename": "c.txt", "content": "YWJj\r\nZGVm", "inline_content_id": "in"}]}
    )  # fmt: skip
    assert (email.to, email.cc, email.bcc) == (
        ("x@example.net", "y@example.net"),
        ("c@example.net",),
        ("d@example.net",),
    )
    assert (email.sender, email.reply_to, email.tags) == ("A <a@b.example>", ("r@example.net",), {"category": "rent"})
    assert [(f.content, f.content_type, f.content_id) for f in email.attachments] == [
        (b"abc", "application/pdf", None), (b"\x00\xff", "text/plain", "img"), (b"abcdef", "text/plain", "in")]  # fmt: skip
    assert email.variables is None


def test_a_template_goes_with_its_variables():
    email = ask(subject=..., text=..., template={"id": "reminder", "variables": {"name": "Ann", "n": 1.5}})
    assert (email.template, email.variables) == ("reminder", {"name": "Ann", "n": 1.5})
    assert ask(subject=..., text=..., template={"id": "reminder"}).variables == {}


@given(st.dictionaries(st.sampled_from(["to", "from", "cc", "tags", "template", "attachments", "headers", "html", "x"]),
       st.recursive(st.none() | st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i))))  # fmt: skip
def test_any_json_is_an_email_or_a_problem(fields):
    try:
        found = asked(wire.email(json.dumps(fields).encode()), parse_iso)
    except Problem as problem:
        found = problem
    assert found.to if isinstance(found, EmailAsked) else 400 <= found.type.status < 500
