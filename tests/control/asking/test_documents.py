"""Documents that are not public: offered by kind, asked for under an agreement, granted for a week, each taking on record."""

import re

import pytest
from tests.control.asking.asking import ASK, DOCUMENTS, REQUEST, confirmed, fill, link, move, rows
from tests.control.evidence.conftest import PDF, Room
from tests.support.pages import Visitor

from troth.control.asking import agreement
from troth.keys.keyring import OPERATOR


@pytest.fixture
def piece(site):
    """A report that two people accepted, and that is not public."""
    keyset = rows(site, "SELECT operator_keyset FROM installation")[0][0]
    room = Room(site.operator, site.firm, site.operator.keyring.tenant(OPERATOR, keyset))
    return room.kept().id


@pytest.fixture
def staff(site):
    return site.visitor(site.staff)


def act(staff, asked, name, **typed):
    there = f"/desk/questions/{asked}/{name}"
    staff.get(there)
    return staff.post(there, **{"words": "Here it is.", **typed})


def take(site, piece, visitor=None):
    visitor, there = visitor or Visitor(site.url), link(site, "asked-answer")
    visitor.get(ASK)  # the token of a form that is always there
    return visitor.post(f"{there}/documents/{piece}")


@pytest.mark.usefixtures("piece")
def test_only_the_kind_is_told_and_the_agreement_must_be_the_one_that_was_shown(site):
    visitor = Visitor(site.url)
    shown = visitor.get(DOCUMENTS).text
    assert "Penetration test" in shown
    assert "by Ash" not in shown
    assert agreement.NOW.partition(".")[0] in shown
    for wrong in ({"agreed": ""}, {"agreed": "00" * 32}, {"wants": "training"}, {"wants": ""}, {"firm": ""}):
        assert fill(visitor, DOCUMENTS, {**REQUEST, **wrong}).status == 422, wrong
    assert fill(visitor, DOCUMENTS, REQUEST).status == 200
    assert rows(site, "SELECT wants, agreement FROM asked") == [(["penetration-test"], agreement.digest())]
    assert agreement.NOW.partition(".")[0] in visitor.get(link(site)).text


def test_what_is_granted_can_be_taken_for_a_week_and_each_taking_is_on_record(site, staff, piece):
    asked = confirmed(site, DOCUMENTS, REQUEST)
    assert take(site, piece).status == 404
    assert "Choose at least one" in act(staff, asked, "grant").text
    assert "Choose from the documents" in act(staff, asked, "grant", pieces=str(asked)).text
    done = act(staff, asked, "grant", pieces=str(piece))
    assert done.status == 200
    assert "The documents are granted" in done.text
    assert "report.pdf" in Visitor(site.url).get(link(site, "asked-answer")).text
    assert "report.pdf" not in Visitor(site.url).get(link(site)).text
    got = take(site, piece)
    assert got.text == PDF.decode(errors="replace")
    assert got.headers["Content-Disposition"].startswith("attachment;")
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert rows(site, "SELECT count(*) FROM asked_taken") == [(1,)]
    assert rows(site, "SELECT count(*) FROM ledger_pending WHERE kind = 'trust:asking:take'") == [(1,)]
    assert re.search(r"Taken</dt><dd>1 time<", staff.get(f"/desk/questions/{asked}").text)
    assert take(site, asked).status == 404
    there = Visitor(site.url)
    there.get(ASK)
    assert there.post(f"{link(site)}/documents/{piece}").status == 404  # the link that confirms leads to nothing
    move(site, days=8)
    assert take(site, piece).status == 404
    assert "is over" in Visitor(site.url).get(link(site, "asked-answer")).text


def test_a_document_that_is_withdrawn_or_was_spoilt_is_not_given(site, staff, piece):
    act(staff, confirmed(site, DOCUMENTS, REQUEST), "grant", pieces=str(piece))
    site.operator.database.fill("UPDATE evidence SET sha256 = sha256('x')")
    assert take(site, piece).status == 404
    assert rows(site, "SELECT count(*) FROM asked_taken") == [(0,)]
    site.operator.database.fill("UPDATE evidence SET withdrawn_at = now_v1(), withdrawn_why = 'x',"
                                " withdrawn_human = accepted_human, withdrawn_account = accepted_account")  # fmt: skip
    assert take(site, piece).status == 404


@pytest.mark.usefixtures("piece")
def test_a_refusal_is_mailed_with_its_reason(site, staff):
    asked = confirmed(site, DOCUMENTS, REQUEST)
    act(staff, asked, "refuse", words="It is not ours to give.")
    assert rows(site, "SELECT outcome, until, pieces FROM asked") == [("refused", None, None)]
    assert rows(site, "SELECT count(*) FROM asked_letter WHERE kind = 'answer'") == [(1,)]


def test_versions_of_the_agreement_are_known_by_their_digest():
    assert agreement.text_of(agreement.digest()) == agreement.NOW
    assert agreement.version_of(agreement.digest()) == len(agreement.VERSIONS)
    assert (agreement.text_of(b"x"), agreement.version_of(b"x")) == ("", 0)
