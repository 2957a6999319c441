"""The desk of questions: staff see what was confirmed, answer it once, and each reading of one is on record."""

import pytest
from tests.control.asking.asking import ASK, QUESTION, confirmed, fill, link, move, rows
from tests.support import pages
from tests.support.pages import Visitor

WORDS = "For 30 days; then they are shredded."


@pytest.fixture
def staff(site):
    return site.visitor(site.staff)


def looks(site):
    return rows(site, "SELECT count(*) FROM ledger_pending WHERE kind = 'access:asking:view'")[0][0]


def answer(staff, asked, name="answer", **typed):
    there = f"/desk/questions/{asked}/{name}"
    staff.get(there)
    return staff.post(there, **{"words": WORDS, **typed})


def test_only_what_was_confirmed_is_on_the_list(site, staff):
    assert "Nothing waits" in staff.get("/desk/questions").text
    fill(Visitor(site.url), ASK, {**QUESTION, "address": "eve@example.net"})
    assert "Nothing waits" in staff.get("/desk/questions").text
    asked = confirmed(site)
    listed = staff.get("/desk/questions").text
    assert "ASK-" in listed
    assert QUESTION["name"] not in listed
    assert looks(site) == 0
    one = staff.get(f"/desk/questions/{asked}").text
    for words in ("How long are bodies kept?", "ada@example.net", "Ask &amp; Co"):
        assert words in one, words
    assert looks(site) == 1
    assert "waits for an answer" in staff.get("/").text
    move(site, days=8)
    assert "Overdue" in site.visitor(site.staff).get("/desk/questions").text


def test_an_answer_is_mailed_and_kept_sealed(site, staff):
    asked = confirmed(site)
    assert "Write it" in answer(staff, asked, words="").text
    done = answer(staff, asked)
    assert done.status == 200
    assert WORDS in done.text
    [(outcome, sealed)] = rows(site, "SELECT outcome, answer_ct FROM asked")
    assert outcome == "answered"
    assert b"shredded" not in sealed
    assert rows(site, "SELECT count(*) FROM asked_letter WHERE kind = 'answer'") == [(1,)]
    assert staff.get(f"/desk/questions/{asked}/answer").status == 404
    assert "Answered" in Visitor(site.url).get(link(site, "asked-answer")).text
    assert "Answered" in staff.get("/desk/questions?state=done").text


def test_what_is_put_aside_is_mailed_to_nobody(site, staff):
    asked = confirmed(site)
    answer(staff, asked, "put-aside")
    assert rows(site, "SELECT outcome FROM asked") == [("put-aside",)]
    assert rows(site, "SELECT count(*) FROM asked_letter WHERE kind = 'answer'") == [(0,)]


def test_an_answer_is_shown_to_everybody_by_a_persons_own_words_alone(site, staff):
    asked = confirmed(site)
    answer(staff, asked)
    assert "None is shown" in Visitor(site.url).get("/trust/p-firm/questions").text
    assert answer(staff, asked, "publish", question="", answer="").status == 422
    answer(staff, asked, "publish", question="How long is <mail> kept?", answer="30 days.")
    shown = Visitor(site.url).get("/trust/p-firm/questions").text
    assert "How long is &lt;mail&gt; kept?" in shown
    assert QUESTION["name"] not in shown
    answer(staff, asked, "unpublish")
    assert "None is shown" in Visitor(site.url).get("/trust/p-firm/questions").text


def test_who_may_read_may_not_act_and_clients_know_nothing_of_it(site, staff):
    asked = confirmed(site)
    auditor = site.visitor(pages.join(site.operator, "Aud Itor <aud@house.example>", "auditor"))
    assert auditor.get(f"/desk/questions/{asked}").status == 200
    assert auditor.get(f"/desk/questions/{asked}/answer").status == 404
    member = site.visitor(site.member)
    for there in ("/desk/questions", f"/desk/questions/{asked}"):
        assert member.get(there).status == 404
    assert looks(site) == 1
