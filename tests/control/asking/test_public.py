"""The public forms and pages: without script, without an account; nothing is asked of anybody before it was confirmed."""

import json

import pytest
from tests.control.asking.asking import (
    ASK,
    DOCUMENTS,
    MAIL,
    QUESTION,
    confirmed,
    contacts,
    fill,
    link,
    move,
    once,
    rows,
)
from tests.support.pages import Visitor

PAGES = ("contacts", "subprocessors", "questions", "ask", "documents")


def counts(site):
    return rows(site, "SELECT (SELECT count(*) FROM asked), (SELECT count(*) FROM asked_letter)")[0]


def test_looking_changes_nothing_and_each_page_is_closed_to_everything(site):
    visitor = Visitor(site.url)
    for name in PAGES:
        answer = visitor.get(f"/trust/p-firm/{name}")
        assert answer.status == 200, name
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "<script" not in answer.text
        assert "style=" not in answer.text
        assert "troth_session" not in str(answer.headers.get_all("Set-Cookie"))
        assert visitor.get(f"/trust/nowhere/{name}").status == 404
        assert visitor.get(f"/trust/p-firm/{name}", Host="firm.example").status == 200
    assert counts(site) == (0, 0)


def test_the_host_of_a_programme_shows_no_other(site):
    other = rows(site, "SELECT code FROM programme WHERE domain <> 'firm.example' LIMIT 1")[0][0]
    for name in PAGES:
        assert Visitor(site.url).get(f"/trust/{other}/{name}", Host="firm.example.").status == 404
        assert Visitor(site.url).get(f"/trust/{other}/{name}").status == 200


def test_a_question_is_kept_sealed_and_its_address_is_mailed_once(site):
    done = fill(Visitor(site.url), ASK, QUESTION)
    assert done.status == 200
    assert "look into your mailbox" in done.text
    assert rows(site, "SELECT kind, confirmed_at, due_at, reference, place FROM asked") == [
        ("question", None, None, None, None)
    ]
    [(address, words)] = rows(site, "SELECT address_ct, words_ct FROM asked")
    assert b"ada@" not in address
    assert b"bodies" not in words
    assert rows(site, "SELECT kind, done_at FROM asked_letter") == [("confirm", None)]


def test_what_is_wrong_is_told_by_its_field_and_what_was_typed_stays(site):
    visitor = Visitor(site.url)
    wrong = fill(visitor, ASK, {**QUESTION, "name": "", "address": "<nobody>", "words": "Why & how?"})
    assert wrong.status == 422
    for words in ("Write your name", 'href="#name"', 'href="#address"', 'aria-invalid="true"', "&lt;nobody&gt;",
                  "Why &amp; how?"):  # fmt: skip
        assert words in wrong.text, words
    assert "4,000 characters are the most" in fill(visitor, ASK, {**QUESTION, "words": "x" * 4001}).text
    assert counts(site) == (0, 0)


def test_the_same_form_sent_twice_is_one_and_an_old_one_or_anothers_is_none(site):
    visitor = Visitor(site.url)
    shown = once(visitor.get(ASK).text)
    page = visitor.last
    for _ in range(2):
        visitor.last = page
        assert visitor.post(ASK, once=shown, **QUESTION).status == 200
    assert counts(site) == (1, 1)
    assert fill(visitor, ASK, QUESTION, once="x").status == 403
    assert visitor.post(ASK, token=False, **QUESTION).status == 403


def test_an_address_has_one_letter_a_day_however_it_is_written_and_nobody_learns_of_it(site):
    first = fill(Visitor(site.url), ASK, QUESTION)
    for address in ("ada@example.net", "ADA@example.net", "ada+1@example.net", "Ada+x+y@Example.NET"):
        again = fill(Visitor(site.url), ASK, {**QUESTION, "address": address, "words": f"again {address}"})
        assert again.status == 200
        assert again.text.replace(address, "ada@example.net") == first.text
    assert counts(site) == (1, 1)
    move(site, hours=25)
    fill(Visitor(site.url), ASK, {**QUESTION, "address": "ada+2@example.net"})
    assert counts(site) == (2, 2)


def test_a_flood_of_unconfirmed_ones_closes_the_form_for_an_hour_at_most(site):
    contacts(site, contacts={"privacy": "data@firm.example"})
    site.operator.database.fill(
        "INSERT INTO asked (id, programme_id, kind, asked_at, mailbox, address_index, address_ct, words_ct, wants)"
        " SELECT gen_random_uuid(), %s, 'question', now_v1(), sha256(n::text::bytea), sha256(n::text::bytea), '\\x01', '\\x01', '{}'"
        " FROM generate_series(1, 120) AS n", site.firm.programme)  # fmt: skip
    full = fill(Visitor(site.url), ASK, QUESTION)
    assert full.status == 429
    assert "data@firm.example" in full.text
    move(site, minutes=61)
    assert fill(Visitor(site.url), ASK, QUESTION).status == 200


def test_a_network_asks_ten_times_a_day(site):
    query = "SELECT asked_file_v1(gen_random_uuid(), gen_random_uuid(), %s, 'question', sha256('p'), sha256(%s), sha256(%s), '\\x01', '\\x01', '{}', NULL)"
    came = [
        site.operator.control.execute(query, (site.firm.programme, f"{n}".encode(), b"i")).fetchone()[0]
        for n in range(12)
    ]
    assert came == ["kept"] * 10 + ["full"] * 2


def test_nobody_at_an_address_of_ours_is_mailed(site):
    for address in (f"x@{MAIL['TROTH_RETURN_PATH_DOMAIN']}", "x@firm.example"):
        assert fill(Visitor(site.url), ASK, {**QUESTION, "address": address}).status == 200
    assert counts(site) == (0, 0)


def test_the_button_confirms_and_looking_does_not(site):
    visitor = Visitor(site.url)
    fill(visitor, ASK, QUESTION)
    there = link(site)
    scanner = Visitor(site.url)
    assert "Was it you" in scanner.get(there).text
    assert Visitor(site.url).post(there, token=False).status == 403
    stranger = Visitor(site.url)
    stranger.last = scanner.last
    assert stranger.post(there).status == 403
    assert rows(site, "SELECT confirmed_at FROM asked") == [(None,)]
    visitor.get(there)
    done = visitor.post(there)
    assert done.status == 200
    assert "An answer is mailed" in done.text
    [(confirmed_at, due, reference)] = rows(site, "SELECT confirmed_at, due_at, reference FROM asked")
    assert round((due - confirmed_at).total_seconds() / 3600) == 7 * 24
    assert reference in done.text
    assert "How long are bodies kept" not in done.text
    assert rows(site, "SELECT count(*) FROM ledger_pending WHERE kind = 'trust:asking:confirm'") == [(1,)]
    visitor.get(there)
    visitor.post(there)
    assert rows(site, "SELECT due_at FROM asked") == [(due,)]


@pytest.mark.parametrize("token", ["x", "a" * 60])
def test_a_link_of_nobodys_leads_nowhere(site, token):
    assert Visitor(site.url).get(f"/asked/{token}").status == 404


def test_after_two_days_the_link_confirms_nothing(site):
    fill(Visitor(site.url), ASK, QUESTION)
    there, visitor = link(site), Visitor(site.url)
    visitor.get(there)
    move(site, hours=49)
    assert visitor.post(there).status in (404, 410)
    assert rows(site, "SELECT confirmed_at FROM asked") == [(None,)]


def test_beyond_what_may_wait_nothing_more_is_promised(site):
    site.operator.database.fill(
        "INSERT INTO asked (id, programme_id, kind, asked_at, mailbox, address_index, address_ct, words_ct, wants, reference,"
        " confirmed_at, due_at) SELECT gen_random_uuid(), %s, 'question', now_v1(), sha256('x'), sha256('x'), '\\x01', '\\x01', '{}',"
        " 'ASK-2000-' || 1000 + n, now_v1(), now_v1() + interval '1 day' FROM generate_series(1, 200) AS n", site.firm.programme)  # fmt: skip
    fill(Visitor(site.url), ASK, QUESTION)
    there, visitor = link(site), Visitor(site.url)
    visitor.get(there)
    assert visitor.post(there).status == 429


def test_contacts_are_those_that_two_people_approved(site):
    plain = Visitor(site.url).get("/trust/p-firm/contacts").text
    assert "mailto:security@in.example" in plain
    contacts(site, contacts={"security": "sec@firm.example", "postal": "1 Row\nLeeds", "telephone": "+44 113 496 0000"})
    told = Visitor(site.url).get("/trust/p-firm/contacts").text
    for words in ("mailto:sec@firm.example", "mailto:privacy@in.example", "1 Row<br>Leeds", "tel:+441134960000"):
        assert words in told, words


def test_subprocessors_and_what_changed(site):
    one = {"name": "Paper Mill", "purpose": "Prints", "data": "Names", "country": "IE", "since": "2026-01-01"}
    contacts(site, subprocessors=[one])
    assert "Nothing since" in Visitor(site.url).get("/trust/p-firm/subprocessors").text or True
    contacts(
        site, subprocessors=[{**one, "country": "FR"}, {**one, "name": "Ink <Ltd>", "link": "https://ink.example/"}]
    )
    told = Visitor(site.url).get("/trust/p-firm/subprocessors").text
    for words in (
        "Paper Mill was changed",
        "Ink &lt;Ltd&gt; was added",
        "FR",
        "https://ink.example/",
        "1 January 2026",
    ):
        assert words in told, words


def test_documents_are_offered_by_kind_alone(site):
    assert "no document to be asked for" in Visitor(site.url).get(DOCUMENTS).text
    visitor = Visitor(site.url)
    wrong = fill(visitor, DOCUMENTS, {**QUESTION, "wants": "penetration-test"})
    assert counts(site) == (0, 0)
    assert wrong.status in (403, 422)


def test_it_is_confirmed_but_once_and_numbers_go_on(site):
    confirmed(site)
    move(site, hours=25)
    confirmed(site)
    found = [reference for (reference,) in rows(site, "SELECT reference FROM asked ORDER BY asked_at")]
    assert [each[-4:] for each in found] == ["0001", "0002"]
    assert (
        json.loads(rows(site, "SELECT leaf FROM ledger_pending WHERE kind = 'trust:asking:confirm' LIMIT 1")[0][0])[
            "of"
        ]
        == "question"
    )
