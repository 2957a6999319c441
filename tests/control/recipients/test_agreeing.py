"""What may be agreed to on the confirmation page: nothing by the press alone, each category by its own box, and nothing
that the page did not show.
"""

import json
import re
import threading

import psycopg
import pytest
from tests.control.recipients.test_pages import Browser, firm, link, operator, pages, status

from troth.keys import consents
from troth.keys.ids import uuid7

__all__ = ["firm", "operator", "pages"]


def category(firm, code, basis="consent", **more):
    artefact = {"name": code.title(), "purpose": f"What is <new> with {code}", "legal_class": "relationship",
                "lawful_basis": basis, "sender": {"name": "Firm", "address": f"{code}@mail.firm.example"}, "raw": False,
                "policy": {}}  # fmt: skip
    return firm.operator.govern("category", firm.tenant, code, {**artefact, **more})


def booked(firm):
    return firm.operator.admin.execute(
        "SELECT person_id, category_id, kind, basis, expires_at FROM consent ORDER BY id"
    ).fetchall()


def boxes(page):
    return re.findall(r'<input type="checkbox" name="agree" value="([0-9a-f]{32})"(?: checked)?>', page.text)


@pytest.fixture
def news(firm):
    return category(firm, "news")


def test_the_press_alone_is_no_consent(firm, pages, news):
    path, person = link(firm)
    browser = Browser(pages[0])
    page = browser.get(path)
    assert boxes(page) == [news.hex]
    assert "checked" not in page.text
    done = browser.press(path, page)
    assert (done.status, status(firm, person)[0]) == (200, 2)
    assert "agreed" not in done.text
    assert booked(firm) == []


def test_what_is_ticked_is_agreed_to_with_the_words_that_stood_there(firm, pages, news):
    offers, events = category(firm, "offers"), category(firm, "events")
    category(firm, "receipts", "contract")
    path, person = link(firm)
    browser = Browser(pages[0])
    page = browser.get(path)
    assert boxes(page) == [events.hex, news.hex, offers.hex]
    assert "What is &lt;new&gt; with news" in page.text
    assert "1 Test Street" in page.text
    assert "withdraw at any time" in page.text
    done = browser.press(path, page, agree=[offers.hex, news.hex])
    assert re.findall("<li>(.*?)</li>", done.text) == ["News", "Offers"]
    assert sorted(booked(firm)) == sorted((person, each, 1, "confirmation", None) for each in (news, offers))
    data_key = firm.operator.admin.execute("SELECT data_key FROM person WHERE id = %s", (person,)).fetchone()[0]
    key = firm.keys.person(bytes(data_key), person)
    rows = firm.operator.admin.execute("SELECT id, detail_ct FROM consent ORDER BY id").fetchall()
    opened = [consents.opened(key, made, bytes(sealed)) for made, sealed in rows]
    said = sorted(opened, key=lambda one: "offers" in one["wording"])  # ids of one millisecond come in either order
    intro, label, button = said[0]["wording"].split("\n")
    shown = page.text.replace("&lt;", "<").replace("&gt;", ">")
    assert all(f">{words}<" in shown for words in (intro, label, button))
    assert "news" in label
    assert "offers" in said[1]["wording"].split("\n")[1]
    assert said[0]["how"].startswith("ticked its box and pressed the button")
    assert said[0]["source"] == "127.0.0.1"


def test_what_was_not_shown_cannot_be_agreed_to(firm, pages, news):
    contract = category(firm, "receipts", "contract")
    path, person = link(firm)
    browser = Browser(pages[0])
    page = browser.get(path)
    for wrong in (contract.hex, firm.category.hex, "x", "", [news.hex, contract.hex]):
        answer = browser.press(path, page, agree=wrong)
        assert answer.status == 422
        assert "nothing was confirmed" in answer.text
    assert browser.press(path, page, shown="x", agree=news.hex).status == 422
    other, _ = link(firm, "other@home.example")
    browser.get(path)
    theirs = re.search(r'name="shown" value="([^"]+)"', Browser(pages[0]).get(other).text)[1]
    assert browser.press(path, page, shown=theirs, agree=news.hex).status == 422
    assert (booked(firm), status(firm, person)) == ([], (1, None))
    assert browser.press(path, page, agree=news.hex).status == 200


def test_an_offer_that_changes_under_the_page_is_shown_again(firm, pages, news):
    path, person = link(firm)
    browser = Browser(pages[0])
    page = browser.get(path)
    artefact = firm.operator.admin.execute(
        "SELECT s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id WHERE g.subject = %s", (news,)
    ).fetchone()[0]
    firm.operator.govern("category", firm.tenant, "news", {**json.loads(artefact), "purpose": "All else"}, news)
    answer = browser.press(path, page, agree=news.hex)
    assert (answer.status, "All else" in answer.text, " checked" in answer.text) == (422, True, False)
    assert (booked(firm), status(firm, person)) == ([], (1, None))
    assert browser.press(path, answer, agree=news.hex).status == 200
    assert len(booked(firm)) == 1


def test_a_wrong_code_keeps_what_was_ticked_and_books_nothing(firm, pages, news):
    path, person = link(firm, pathway="multi-step")
    browser = Browser(pages[0])
    page = browser.get(path)
    for code in ("", "000000"):
        answer = browser.press(path, page, code, agree=news.hex)
        assert (answer.status, " checked" in answer.text, booked(firm)) == (422, True, [])
    assert browser.press(path, answer, "123456", agree=news.hex).status == 200
    assert booked(firm) == [(person, news, 1, "confirmation", None)]


def test_looking_and_a_scanners_post_book_nothing(firm, pages, news):
    path, person = link(firm)
    for _ in range(10):
        browser = Browser(pages[0])
        page = browser.get(path)
        browser.ask("HEAD", path)
        assert Browser(pages[0]).press(path, page, agree=news.hex).status == 403
    assert (booked(firm), status(firm, person)) == ([], (1, None))


def test_pressed_twice_at_once_it_is_booked_once(firm, pages, news):
    path, person = link(firm)
    browser = Browser(pages[0])
    page = browser.get(path)
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(browser.press(path, page, agree=news.hex))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [a.status for a in answers] == [200] * 4
    assert sum("Your address is confirmed." in a.text for a in answers) == 1
    assert booked(firm) == [(person, news, 1, "confirmation", None)]


def test_what_is_agreed_to_or_opted_out_of_or_stopped_is_not_offered(firm, pages, news):
    old, out, gone = category(firm, "old"), category(firm, "out"), category(firm, "stopped")
    back = category(firm, "back")
    path, person = link(firm)
    admin = firm.operator.admin
    record = (
        "INSERT INTO consent (id, tenant_id, person_id, category_id, kind, basis, at, detail_ct)"
        " VALUES (%s, %s, %s, %s, %s, 'form', now_v1() - make_interval(hours => %s), '\\x02')"
    )
    for what, kind, ago in ((old, 1, 1), (back, 1, 2), (back, 3, 1)):
        admin.execute(record, (uuid7(_now(admin)), firm.tenant, person, what, kind, ago))
    admin.execute("SELECT opt_out_v1(%s, %s, %s, 'test')", (firm.tenant, firm.index("new@home.example"), out))
    firm.operator.revoke(gone)
    assert boxes(Browser(pages[0]).get(path)) == [back.hex, news.hex]


def _now(admin):
    return admin.execute("SELECT now_v1()").fetchone()[0]


def test_the_ledger_takes_no_consent_of_a_page_without_its_purpose(firm):
    person = firm.person("new@home.example")
    with pytest.raises(psycopg.errors.CheckViolation, match="consent_of_a_page_has_its_purpose"):
        firm.operator.admin.execute(
            "INSERT INTO consent (id, tenant_id, person_id, kind, basis, at, detail_ct)"
            " VALUES (%s, %s, %s, 1, 'confirmation', now_v1(), '\\x02')",
            (uuid7(_now(firm.operator.admin)), firm.tenant, person),
        )
