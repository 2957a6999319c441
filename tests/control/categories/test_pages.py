"""Categories in the browser: read, written as a draft, bounded by what stands above, proposed, retired."""

import html
import json
import re

import pytest
from tests.support import pages
from tests.support.pages import join

FIELDS = {
    "code": "safety", "name": "Safety notices", "purpose": "You get this because you live in one of our buildings.",
    "legal_class": "relationship", "lawful_basis": "contract", "sender_name": "Firm firm",
    "sender_address": "rent@mail.firm.example", "reply_to": "", "lifetime": "12 h", "template_hour": "500",
    "recipient_day": "", "revision": "0",
}  # fmt: skip
FAULTS = [
    ({"code": ""}, "Code", "Give it a code"),
    ({"code": "No"}, "Code", "2 to 63"),
    ({"name": " "}, "Name", "Recipients read this"),
    ({"purpose": ""}, "Purpose", "Recipients read this"),
    ({"legal_class": "commercial"}, "Legal class", "EML-13"),
    ({"legal_class": "spam"}, "Legal class", "The legal classes are"),
    ({"lawful_basis": ""}, "Lawful basis", "Choose why"),
    ({"lawful_basis": "greed"}, "Lawful basis", "The lawful bases are"),
    ({"legal_class": "required"}, "Lawful basis", "legal-obligation"),
    ({"sender_address": "a@b)c@d"}, "Sender’s address", ""),
    ({"reply_to": "a@"}, "Answers go to", ""),
    ({"lifetime": "soon"}, "Lifetime", "90 min, 12 h or 3 d"),
    ({"lifetime": "300 d"}, "Lifetime", ""),
    ({"template_hour": "many"}, "Of one template in an hour", "whole number"),
    ({"pathways": "by-magic"}, "Whom it may be sent to", ""),
    ({"reason": ""}, "Why", "Say why"),
]


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def author(site):
    return join(site.operator, "Ada Author <ada@firm.test>", "author", site.firm.tenant)


def open_change(site):
    query = "SELECT id, digest, artefact FROM change WHERE state = 1 AND kind = 'category' ORDER BY id DESC"
    return site.operator.admin.execute(query).fetchone()


def approve(site):
    change, digest, _ = open_change(site)
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[1]))


def test_from_an_empty_page_to_a_category_in_force_and_its_next_version(site, author):
    ada = site.visitor(author)
    assert "Programs may send" in ada.get("/categories/new").text
    saved = ada.post("/categories/new", **FIELDS)
    assert "Saved as revision 1" in saved.text
    draft = saved.url.removeprefix(site.url)
    assert "A draft of safety" in ada.get("/categories").text
    ada.get(draft)
    done = ada.post(draft, **{**FIELDS, "revision": "1"}, do="propose", reason="The new boilers")
    assert "/changes/" in done.url
    made = json.loads(open_change(site)[2])
    assert made["policy"] == {"delivery": {"lifetime_minutes": 720}, "limits": {"template_hour": 500}}
    assert made["legal_class"] == "relationship"
    assert "is proposed" in ada.get(draft).text
    approve(site)
    listed = ada.get("/categories").text
    assert "Safety notices" in listed
    one = re.search(r'href="(/categories/[0-9a-f-]{36})">Safety', listed)[1]
    page = ada.get(one).text
    assert "12 h" in page
    assert "Contract (GDPR" in page
    form = ada.get(f"{one}/edit").text
    assert 'value="12 h"' in form
    again = ada.post(f"{one}/edit", **{**FIELDS, "lifetime": "", "pathways": "system", "code": "other"}, do="propose",
                     reason="Shorter")  # fmt: skip
    assert "/changes/" in again.url
    assert json.loads(open_change(site)[2])["policy"] == {
        "limits": {"template_hour": 500}, "recipients": {"pathways": ["system"]},
    }  # fmt: skip
    assert ada.get(f"{one}/edit").url.startswith(f"{site.url}/categories/drafts/")
    approve(site)
    assert "Version 2" in ada.get(f"{one}/edit").text
    ada.get(one)
    assert "/changes/" in ada.post(f"{one}/retire", reason="over").url
    approve(site)
    assert "Retired" in ada.get(one).text


def test_a_fault_names_its_field_and_keeps_what_was_typed(site, author):
    ada = site.visitor(author)
    for changed, label, words in FAULTS:
        ada.get("/categories/new")
        refused = ada.post("/categories/new", **{**FIELDS, "reason": "because", **changed}, do="propose")
        assert refused.status == 422, changed
        assert f">{label}: " in refused.text, (changed, re.findall(r'<a href="#f[^<]*', refused.text))
        assert words in html.unescape(refused.text), changed
        assert open_change(site) is None


def test_two_people_on_one_draft_see_both_and_one_throws_it_away(site, author):
    ada, mia = site.visitor(author), site.visitor(site.member)
    ada.get("/categories/new")
    draft = ada.post("/categories/new", **FIELDS).url.removeprefix(site.url)
    mia.get(draft)
    ada.post(draft, **{**FIELDS, "name": "Mine", "revision": "1"})
    late = mia.post(draft, **{**FIELDS, "name": "Theirs", "revision": "1"})
    assert late.status == 409
    assert "<del>Mine</del>" in late.text
    assert 'value="Theirs"' in late.text
    assert "thrown away" in mia.post(f"{draft}/discard").text
    assert mia.get(draft).status == 404


def test_other_clients_and_viewers_find_nothing_and_staff_choose_first(site, author):
    ada, outsider = site.visitor(author), site.visitor(site.outsider)
    ada.get("/categories/new")
    draft = ada.post("/categories/new", **FIELDS).url.removeprefix(site.url)
    one = f"/categories/{site.firm.category}"
    assert "Rent notices" in ada.get(one).text
    assert "No category" in ada.get("/categories?q=zzz").text
    for path in (draft, one, f"{one}/edit"):
        assert outsider.get(path).status == 404
    viewer = site.visitor(join(site.operator, "Vi Viewer <vi@firm.test>", "viewer", site.firm.tenant))
    assert "Edit as a new version" not in viewer.get(one).text
    assert viewer.post("/categories/new", **FIELDS).status == 404
    assert viewer.post(f"{one}/retire", reason="x").status == 404
    ada.get(one)
    assert "Say why" in ada.post(f"{one}/retire", reason=" ").text
    staff = site.visitor(site.staff)
    assert "choose" in staff.get("/categories").text.lower()
    assert "choose" in staff.get("/categories/new").text.lower()
