"""A template written in the browser: drafts that lose nothing, faults in their line, proposing, and what no path sends."""

import html
import json
import re

import pytest
from tests.support import pages
from tests.support.firm import TEMPLATE
from tests.support.pages import join

BODY = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>Dear {{ name }}</mj-text></mj-column></mj-section></mj-body></mjml>"
)
FIELDS = {
    "code": "notice", "category": "rent", "subject": "For {{ name }}", "preheader": "About {{ name }}", "kind": "mjml",
    "source": BODY, "text": "", "schema": '{"name": {"type": "string", "max_length": 40}}', "samples": '[{"name": "Sam"}]',
    "layout": "", "revision": "0",
}  # fmt: skip


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def author(site):
    return join(site.operator, "Ada Author <ada@firm.test>", "author", site.firm.tenant)


def governed(site, code):
    query = "SELECT s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id WHERE g.code = %s AND g.kind = 'template'"
    found = site.operator.admin.execute(query, (code,)).fetchone()
    return json.loads(found[0]) if found else None


def change_of(answer):
    """The open proposal that a page led to."""
    return answer.url.rpartition("/")[2]


def proposed(site):
    query = "SELECT id, digest, artefact FROM change WHERE state = 1 AND kind = 'template' ORDER BY id DESC"
    return site.operator.admin.execute(query).fetchone()


def approve(site):
    """By an owner, who wrote none of it."""
    change, digest, _ = proposed(site)
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[1]))


def test_from_an_empty_page_to_a_version_in_force(site, author):
    ada = site.visitor(author)
    assert "New template" in ada.get("/templates/new").text
    saved = ada.post("/templates/new", **FIELDS)
    assert "/templates/drafts/" in saved.url
    assert "Saved as revision 1" in saved.text
    assert html.escape(BODY) in saved.text
    draft = saved.url.removeprefix(site.url)
    looked = ada.post("/templates/panel", **FIELDS)
    assert "For Sam" in looked.text
    assert "KB of the 102" in looked.text.replace("&nbsp;", " ")
    ada.get(draft)
    framed = ada.post("/templates/preview", **FIELDS)
    assert "Dear Sam" in framed.text
    assert "sandbox" in framed.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in framed.headers["Content-Security-Policy"]
    for way, words in (("dark", "invert(1)"), ("text", "Dear Sam"), ("source", "Dear {{ name }}")):
        ada.get(draft)
        assert words in html.unescape(ada.post("/templates/preview", **FIELDS, **{"as": way}).text)
    ada.get(draft)
    refused = ada.post(draft, **{**FIELDS, "revision": "1"}, do="propose")
    assert refused.status == 422
    assert "Say why" in refused.text
    done = ada.post(draft, **{**FIELDS, "revision": "2"}, do="propose", reason="Tenants asked for it")
    assert "/changes/" in done.url
    made = json.loads(proposed(site)[2])
    assert made["source"] == {"body": BODY, "kind": "mjml", "preheader": "About {{ name }}"}
    assert "Dear {{ name }}" in made["html"]
    assert made["text"] == "Dear {{ name }}\n"
    assert governed(site, "notice") is None
    approve(site)
    assert governed(site, "notice") == made
    one = ada.get("/templates").text
    subject = re.search(r'href="(/templates/[0-9a-f-]{36})">notice<', one)[1]
    page = ada.get(subject).text
    assert "notice@1" in page
    assert "As it was written, in MJML" in page
    assert "Dear Sam" in ada.get(f"{subject}/versions/1/preview").text


FAULTS = [
    ({"category": ""}, "Category", "Choose the category that this mail belongs to."),
    ({"source": BODY.replace("name", "nmae")}, "Body", "Line 1: The schema has no variable nmae; it has name"),
    ({"source": BODY.replace("mj-text", "mj-txt")}, "Body", "no element <mj-txt>"),
    ({"schema": "{"}, "Variables", "this is no JSON"),
    ({"schema": "[]"}, "Variables", "must look like"),
    ({"schema": '{"a": {"type": "x"}}'}, "Variables", "Give it a"),
    ({"samples": "[3]"}, "Samples", "up to ten objects"),
    ({"samples": '[{"nam": 1}]'}, "Samples", "Sample 1"),
    ({"subject": " "}, "Subject", "Write the subject"),
    ({"subject": "{{ nam }}"}, "Subject", "it has name"),
    ({"kind": "word"}, "Written in", "Choose MJML"),
    ({"category": "none"}, "Category", "no such category"),
    ({"code": ""}, "Code", "Give it a code"),
    ({"code": "Not A Code"}, "Code", "2 to 63 of a-z"),
    ({"preheader": "{{ x }}"}, "Preview line", "no variable x"),
    ({"layout": "none"}, "Layout", "{{ content }} once"),
]


def test_a_fault_names_its_field_and_keeps_what_was_typed(site, author):
    ada = site.visitor(author)
    for changed, label, words in FAULTS:
        ada.get("/templates/new")
        refused = ada.post("/templates/new", **{**FIELDS, **changed}, do="propose", reason="why not")
        assert refused.status == 422, changed
        assert f">{label}: " in refused.text, changed
        assert words in html.unescape(refused.text), changed
        assert "why not" in refused.text
        assert proposed(site) is None


def test_two_people_on_one_draft_see_both(site, author):
    ada, mia = site.visitor(author), site.visitor(site.member)
    ada.get("/templates/new")
    draft = ada.post("/templates/new", **FIELDS).url.removeprefix(site.url)
    mia.get(draft)
    ada.post(draft, **{**FIELDS, "subject": "Mine", "revision": "1"})
    late = mia.post(draft, **{**FIELDS, "subject": "Theirs", "revision": "1"})
    assert late.status == 409
    assert "Both versions" in late.text
    assert "Mine" in late.text
    assert 'value="Theirs"' in late.text
    assert 'name="revision" value="2"' in late.text
    kept = mia.post(draft, **{**FIELDS, "subject": "Theirs", "revision": "2"})
    assert "Saved as revision 3" in kept.text


def test_a_version_is_restored_as_a_new_one_and_any_two_are_compared(site, author):
    site.operator.govern(
        "template", site.firm.tenant, "reminder", {**TEMPLATE, "html": "<p>Second</p>"}, site.firm.template
    )
    ada, path = site.visitor(author), f"/templates/{site.firm.template}"
    compared = ada.get(f"{path}/compare?a=1&b=2")
    assert compared.text.count("<iframe sandbox") == 2
    assert "Second" in compared.text
    assert ada.get(f"{path}/compare").status == 200
    assert "to the last byte" in ada.get(f"{path}/compare?a=2&b=2").text
    assert ada.get(f"{path}/compare?a=1&b=9").status == 404
    assert ada.get(f"{path}/compare?a=x&b=1").status == 404
    ada.get(f"{path}/versions/1")
    draft = ada.post(f"{path}/versions/1/draft")
    assert "/templates/drafts/" in draft.url
    assert html.escape("<p>Dear {{ name }}, the rent is due.</p>") in draft.text
    fields = {**FIELDS, "kind": "html", "source": TEMPLATE["html"], "text": TEMPLATE["text"], "code": "stolen",
              "subject": TEMPLATE["subject"], "schema": json.dumps(TEMPLATE["schema"]), "preheader": ""}  # fmt: skip
    done = ada.post(draft.url.removeprefix(site.url), **{**fields, "revision": "1"}, do="propose", reason="back")
    assert "/changes/" in done.url
    approve(site)
    assert governed(site, "reminder")["html"] == TEMPLATE["html"]
    assert governed(site, "stolen") is None


def test_discarding_stopping_and_retiring(site, author):
    ada, mia, path = site.visitor(author), site.visitor(site.member), f"/templates/{site.firm.template}"
    ada.get("/templates/new")
    draft = ada.post("/templates/new", **FIELDS).url.removeprefix(site.url)
    assert "notice" in ada.get("/templates/drafts").text
    assert "thrown away" in ada.post(f"{draft}/discard").text
    assert ada.get(draft).status == 404
    assert "no draft" in ada.get("/templates/drafts").text
    ada.get(path)
    assert ada.post(f"{path}/versions/1/stop", reason="wrong").status == 404  # an author may not
    assert "/changes/" in ada.post(f"{path}/retire", reason="not used").url
    mia.get(path)
    assert "say why" in mia.post(f"{path}/versions/1/stop", reason=" ").text
    assert "is stopped" in mia.post(f"{path}/versions/1/stop", reason="wrong sum").text
    assert "wrong sum" in mia.get(path).text
    approve(site)
    assert governed(site, "reminder")["retired"] is True


def test_other_clients_and_viewers_find_nothing(site, author):
    ada = site.visitor(author)
    ada.get("/templates/new")
    draft = ada.post("/templates/new", **FIELDS).url.removeprefix(site.url)
    outsider = site.visitor(site.outsider)
    viewer = site.visitor(join(site.operator, "Vi Viewer <vi@firm.test>", "viewer", site.firm.tenant))
    outsider.get("/templates/new")
    for path in (draft, f"/templates/{site.firm.template}/compare"):
        assert outsider.get(path).status == 404
    outsider.get("/templates/new")
    assert outsider.post(draft, **{**FIELDS, "revision": "1"}).status == 404
    viewer.get("/templates")
    assert viewer.post("/templates/new", **FIELDS).status == 404
    assert viewer.post("/templates/preview", **FIELDS).status == 404
    staff = site.visitor(site.staff)
    assert "choose" in staff.get("/templates/new").text.lower()
    assert "choose" in staff.get("/templates/drafts").text.lower()


def test_a_test_goes_through_the_door_and_says_what_it_answered(site):
    mia = site.visitor(site.member)
    mia.get(f"/templates/{site.firm.template}")
    said = mia.post(f"/templates/{site.firm.template}/versions/1/test").text
    assert "door does not answer" in said


def test_a_clients_layout_comes_with_the_next_template_and_is_in_the_digest(site, author):
    ada = site.visitor(author)
    layout = "<mjml><mj-body>{{ content }}<mj-section><mj-column><mj-text>Foot</mj-text></mj-column></mj-section></mj-body></mjml>"
    body = "<mj-section><mj-column><mj-text>Dear {{ name }}</mj-text></mj-column></mj-section>"
    ada.get("/templates/new")
    done = ada.post("/templates/new", **{**FIELDS, "source": body, "layout": layout}, do="propose", reason="ours")
    assert "/changes/" in done.url
    approve(site)
    made = governed(site, "notice")
    assert made["source"]["layout"] == {"body": layout}
    assert "Foot" in made["html"]
    fresh = ada.get("/templates/new").text
    assert html.escape(layout) in fresh
    assert "another one than here" not in fresh
    other = ada.post("/templates/new", **{**FIELDS, "code": "second", "layout": ""}).text
    assert "what notice@1 has" in other
