"""The recipient's own page against the real gate and database: reading changes nothing, pressing does."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from tests.flow.feedback.test_unsubscribe import ONE_CLICK, page
from tests.support.firm import now

from troth.keys import consents, places
from troth.keys.installation import Purpose
from troth.mail.own_link import own_link

__all__ = ["page"]
EVERY = (
    "SELECT relname FROM pg_class WHERE relnamespace = 'troth'::regnamespace AND relkind = 'r' AND NOT relispartition"
)


def home(page, message, expires=None):
    key = page.operator.secrets.token_keys(Purpose.UNSUBSCRIBE)[0]
    return own_link("", key, message, expires or now() + timedelta(days=60))


def proof(answer, act=""):
    """The token of the form that leads to `act`."""
    form = next(
        f for f in re.findall(r"<form.*?</form>", answer.text, re.DOTALL) if re.search(f'action="[^"]*{act}"', f)
    )
    return re.search(r'name="proof" value="([^"]+)"', form)[1]


def boxes(answer):
    return {value: "checked" in rest for value, rest in re.findall(r'name="on" value="([^"]+)"([^>]*)>', answer.text)}


def shown_as(answer):
    """What a browser sends along with the switches: what each of them was shown as."""
    return {name: re.findall(rf'name="{name}" value="([^"]+)"', answer.text) for name in ("shown", "covers")}


async def press(page, where, act, **fields):
    """What a browser does: it opens the page with the form, and sends the form."""
    shown = await page.client.get(where if act in ("", "/copy") else where + act)
    data = {"proof": proof(shown, act), **(shown_as(shown) if act == "" else {}), **fields}
    return await page.client.post(where + act, data=data, headers={"origin": "http://door.test"})


def everything(page):
    tables = [name for (name,) in page.rows(EVERY)]
    return {name: page.rows(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t")
            for name in (*tables, "message", "event", "email", "message_body", "api_request", "access_log")}  # fmt: skip


async def test_it_says_who_what_why_and_on_which_basis(page):
    where = home(page, await page.send())
    answer = await page.client.get(where)
    assert answer.status_code == 200
    for words in ("Firm firm", "1 Test Street", "Rent notices", "ann@example.net", "confirmed your address through a link",
                  "An agreement with you", "Download this message", "Erase me", "whoever has the email can open"):  # fmt: skip
        assert words in answer.text, words
    assert boxes(answer) == {str(page.firm.category): True}
    assert answer.headers["cache-control"] == "no-store"
    cookie = answer.headers["set-cookie"].lower()
    for word in ("httponly", "samesite=strict", "path=/r", "max-age=3600"):
        assert word in cookie


@pytest.mark.parametrize("end", ["", "/report", "/erase", "/all"])
async def test_reading_changes_no_row_of_any_table(page, end):
    where = home(page, await page.send()) + end
    before = everything(page)
    for _ in range(10):
        assert (await page.client.get(where)).status_code == 200
        assert (await page.client.head(where)).status_code == 200
    assert everything(page) == before


@pytest.mark.parametrize(
    ("act", "fields"),
    [("", {}), ("/erase", {"sure": "yes"}), ("/report", {"reason": "other"}), ("/copy", {}), ("/all", {"sure": "yes"})],
)
async def test_a_post_without_the_page_that_showed_it_changes_nothing(page, act, fields):
    where = home(page, await page.send())
    shown = await page.client.get(where if act in ("", "/copy") else where + act)
    token, fields = proof(shown, act), {**fields, **(shown_as(shown) if act == "" else {})}
    other = await page.client.get(home(page, await page.send()))
    before = everything(page)
    page.client.cookies.clear()  # a program that took the form along
    assert (await page.client.post(where + act, data={"proof": token, **fields})).status_code == 403
    await page.client.get(where)  # another browser's cookie
    for wrong in (token, proof(other), "", "x" * 60):
        answer = await page.client.post(where + act, data={"proof": wrong, **fields})
        assert (answer.status_code, "Nothing was changed" in answer.text) == (403, True)
    assert (
        await page.client.post(where + act, content=b"\xff", headers={"content-type": "text/plain"})
    ).status_code == 403
    assert everything(page) == before


async def test_a_form_as_it_was_shown_changes_nothing(page):
    """A scanner that runs a browser and sends what it finds."""
    where = home(page, await page.send())
    shown = await page.client.get(where)
    before = everything(page)
    assert (
        (await press(page, where, "", on=[i for i, on in boxes(shown).items() if on]))
        .headers["location"]
        .endswith("?same")
    )
    assert (await press(page, where, "/erase")).status_code == 422
    assert (await press(page, where, "/report")).status_code == 422
    assert everything(page) == before


async def test_a_switch_stops_a_category_and_brings_it_back_by_the_recipients_own_hand(page):
    message = await page.send()
    where = home(page, message)
    answer = await press(page, where, "")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{where}?saved")
    shown = await page.client.get(answer.headers["location"])
    assert "Saved." in shown.text
    assert boxes(shown) == {str(page.firm.category): False}
    assert page.events(message) == [1, 15]
    assert page.rows("SELECT kind, basis, category_id FROM consent") == [(3, "own-page", page.firm.category)]
    stopped = await page.send()
    assert page.rows("SELECT state FROM message WHERE id = %s", stopped) == [(11,)]
    await press(page, where, "", on=[str(page.firm.category)])
    assert page.rows("SELECT state FROM message WHERE id = %s", await page.send()) == [(2,)]
    assert [k for (k,) in page.rows("SELECT kind FROM consent ORDER BY at")] == [3, 1]
    await press(page, where, "")
    assert page.rows("SELECT state FROM message WHERE id = %s", await page.send()) == [(11,)]


NOTICE = {"name": "Notices", "purpose": "What the law asks", "legal_class": "required", "raw": True, "policy": {}}


def category(page, code, **artefact):
    sender = {"name": "Firm", "address": f"rent@{page.firm.name}"}
    return page.operator.govern("category", page.firm.tenant, code, {"sender": sender, **NOTICE, **artefact})


async def as_shown(page, where, shown, on):
    """The form of an earlier look, sent now."""
    data = {"proof": proof(shown), "on": on, **shown_as(shown)}
    return await page.client.post(where, data=data, headers={"origin": "http://door.test"})


@pytest.mark.parametrize("scope", ["category", "all"])
async def test_what_was_not_shown_is_not_switched(page, scope):
    """Two people approve a new category while the form is open."""
    page.operator.govern("policy", page.firm.tenant, "tenant", {"recipients": {"unsubscribe_scope": scope}})
    where = home(page, await page.send())
    shown = await page.client.get(where)
    notices = category(page, "notices")
    answer = await as_shown(page, where, shown, [i for i, on in boxes(shown).items() if on])
    assert (answer.headers["location"], page.stopped()) == (f"{where}?same", ([], []))
    assert boxes(await page.client.get(where)) == {str(page.firm.category): True, str(notices): True}


async def test_what_another_tab_changed_meanwhile_stays_changed(page):
    where, rent, notices = home(page, await page.send()), str(page.firm.category), str(category(page, "notices"))
    first = await page.client.get(where)
    await press(page, where, "", on=[notices])  # the other tab switches one off
    assert (await as_shown(page, where, first, [rent])).headers["location"].endswith("?saved")  # this one the other
    assert boxes(await page.client.get(where)) == {rent: False, notices: False}
    before = everything(page)
    assert (await as_shown(page, where, first, [rent])).headers["location"].endswith("?same")  # it is as was wished
    assert everything(page) == before


async def test_what_a_switch_was_shown_as_is_of_the_form(page):
    where, rent = home(page, await page.send()), str(page.firm.category)
    shown = await page.client.get(where)
    before = everything(page)
    for wrong in ([], [f"{rent}:off"], [f"{rent}:on", f"{uuid4()}:on"], ["x"]):
        data = {"proof": proof(shown), **shown_as(shown), "shown": wrong}
        assert (await page.client.post(where, data=data)).status_code == 403, wrong
    assert (
        await page.client.post(where, data={"proof": proof(shown), **shown_as(shown), "covers": "all"})
    ).status_code == 403
    assert everything(page) == before


async def test_a_form_that_said_less_than_a_switch_does_by_now_is_shown_again(page):
    where = home(page, await page.send())
    shown = await page.client.get(where)
    page.operator.govern("policy", page.firm.tenant, "tenant", {"recipients": {"unsubscribe_scope": "all"}})
    answer = await as_shown(page, where, shown, [])
    assert (answer.headers["location"], page.stopped()) == (f"{where}?anew", ([], []))
    assert "cannot be taken back here" in (again := await page.client.get(f"{where}?anew")).text
    assert "Look again" in again.text
    assert (await as_shown(page, where, again, [])).headers["location"].endswith("?saved")
    assert page.stopped() == ([], [(3, "unsubscribe")])


async def test_what_was_agreed_to_is_kept_with_its_wording_sealed_for_the_person(page):
    where = home(page, await page.send())
    await press(page, where, "")
    [(made, sealed, person)] = page.rows("SELECT id, detail_ct, person_id FROM consent")
    assert b"Rent" not in sealed
    wrapped = page.rows("SELECT data_key FROM person WHERE id = %s", person)[0][0]
    said = consents.opened(page.firm.keys.person(wrapped, person), made, sealed)
    assert said["wording"] == "Switched off: Rent. Rent notices"
    assert said["source"] == "127.0.0.1"


async def test_a_report_reaches_a_person_once_with_its_words_sealed(page):
    message = await page.send()
    where = home(page, message)
    wrong = await press(page, where, "/report", reason="other", words="x" * 2001)
    assert (wrong.status_code, "shorten" in wrong.text, "x" * 2001 in wrong.text) == (422, True, True)
    answer = await press(page, where, "/report", reason="stranger", words="I do <b>not</b> know them.")
    assert answer.headers["location"] == f"{where}?reported"
    [(made, sealed, person)] = page.rows("SELECT id, words_ct, person_id FROM abuse_report")
    key = page.firm.keys.person(page.rows("SELECT data_key FROM person WHERE id = %s", person)[0][0], person)
    assert key.open(sealed, places.abuse(made)) == b'{"reason":"stranger","words":"I do <b>not</b> know them."}'
    for path in (where, where + "/report"):
        assert "You reported this on <time" in (await page.client.get(path)).text
    assert "Send the report" not in (await page.client.get(where + "/report")).text
    assert page.rows("SELECT count(*) FROM ledger_pending WHERE kind = 'privacy:abuse:report'") == [(1,)]


def erase(page):
    """As the page does it once the code is typed (test_proving.py)."""
    person = page.firm.people["ann@example.net"]
    page.rows("SELECT set_config('troth.tenant', %s, false)", str(page.firm.tenant))
    assert page.rows("SELECT erase_person_v1(%s, %s)", page.firm.tenant, person) == [(True,)]


def assert_says_nothing(shown):
    for what in ("ann@example.net", "Firm", "Rent", "1 Test Street", "confirmed", "Accepted", "agreement", "<form"):
        assert what not in shown.text, what


async def test_an_erasure_is_said_in_words_first_and_then_is_for_good(page):
    message = await page.send()
    where = home(page, message)
    assert "cannot be undone" in (await page.client.get(where + "/erase")).text
    erase(page)
    for path in (*(where + end for end in ("", "/report", "/erase", "/all", "/code")), page.link(message)):
        shown = await page.client.get(path)
        assert (shown.status_code, "You were erased" in shown.text) == (200, True), path
        assert_says_nothing(shown)
    # One-click still works for whoever was erased: a wish to be left alone needs no name
    assert_says_nothing(stopped := await page.client.post(page.link(message), data=ONE_CLICK))
    assert (stopped.status_code, page.stopped()) == (200, ([(page.firm.category, "unsubscribe")], []))


async def test_forms_that_were_open_when_the_person_was_erased_do_nothing_more(page):
    where = home(page, await page.send())
    main, report = await page.client.get(where), await page.client.get(where + "/report")
    erase(page)
    off = await page.client.post(where, data={"proof": proof(main), **shown_as(main)})
    copy = await page.client.post(where + "/copy", data={"proof": proof(main, "/copy")})
    assert copy.headers["location"] == f"{where}?same"
    assert_says_nothing(await page.client.get(f"{where}?same"))
    told = await page.client.post(where + "/report", data={"proof": proof(report, "/report"), "reason": "other"})
    assert [off.headers["location"], told.headers["location"]] == [f"{where}?same"] * 2
    again = await page.client.post(where + "/erase", data={"proof": proof(main), "sure": "yes"})
    assert again.status_code == 403  # another form's proof


async def test_a_suppressed_address_is_told_why_and_has_no_switches(page):
    message = await page.send()
    page.operator.admin.execute(
        "SELECT suppress_v1(%s, ARRAY[1,4]::smallint[], ARRAY['dsn','arf'], ARRAY[NULL,NULL]::uuid[], ARRAY[NULL,NULL]::bytea[])",
        ([page.firm.index("ann@example.net")] * 2,),
    )
    shown = await page.client.get(home(page, message))
    assert "mail to it came back for good and a message was reported as spam" in shown.text
    assert boxes(shown) == {}


async def test_where_an_opt_out_covers_all_any_switch_stops_everything(page):
    page.operator.govern("policy", page.firm.tenant, "tenant", {"recipients": {"unsubscribe_scope": "all"}})
    where = home(page, await page.send())
    assert "cannot be taken back here" in (await page.client.get(where)).text
    await press(page, where, "")
    assert page.stopped() == ([], [(3, "unsubscribe")])
    assert page.rows("SELECT kind, category_id FROM consent") == [(3, None)]
    assert boxes(await page.client.get(where)) == {}


@pytest.mark.parametrize("path", ["/r/x", "/r/" + "A" * 48])
async def test_a_link_that_is_not_ours_says_nothing(page, path):
    answer = await page.client.get(path)
    assert (answer.status_code, "no longer works" in answer.text) == (404, True)


async def test_old_links_and_links_of_messages_that_are_gone(page):
    message = await page.send()
    assert (await page.client.get(home(page, message, now() - timedelta(days=1)))).status_code == 410
    assert (await page.client.get(home(page, uuid4()))).status_code == 410
    unsubscribe = page.link(message).replace("/u/", "/r/")
    assert (await page.client.get(unsubscribe)).status_code == 404  # an address that every hop has seen opens no page


async def test_basis_and_consent_are_told_together(page):
    message = await page.send()
    person = page.firm.people["ann@example.net"]
    page.operator.admin.execute(
        "SELECT consent_v1(%s, %s, %s, ARRAY[NULL]::uuid[], ARRAY[2]::smallint[], ARRAY['inquiry'], ARRAY[NULL]::timestamptz[],"
        " %s, %s)", (page.firm.tenant, [uuid4()], [person], [now() + timedelta(days=90)], [b"\x02" + b"x" * 40]),
    )  # fmt: skip
    shown = await page.client.get(home(page, message))
    assert "Consent followed from your dealings with the sender" in shown.text


async def test_mail_that_needs_no_consent_is_switched_and_stopped_and_no_consent_is_spoken_of(page):
    message = await page.send()
    where = home(page, message)
    for on, words in (([], "You switched it off on"), ([str(page.firm.category)], "You switched it on on")):
        await press(page, where, "", on=on)
        assert words in (shown := (await page.client.get(where)).text)
        assert "consent on" not in shown
        assert "consent back" not in shown
    assert (await page.client.post(page.link(message), data=ONE_CLICK)).status_code == 200
    assert "You stopped it on" in (await page.client.get(where)).text


async def test_what_is_sent_on_consent_is_off_until_the_recipient_says_so_and_then_the_gate_takes_it(page):
    news = page.operator.govern("category", page.firm.tenant, "news", {
        "name": "News", "purpose": "What is new", "legal_class": "relationship", "lawful_basis": "consent", "raw": True,
        "sender": {"name": "Firm", "address": f"rent@{page.firm.name}"}, "policy": {}})  # fmt: skip
    where, rent = home(page, await page.send()), str(page.firm.category)
    assert boxes(await page.client.get(where)) == {str(news): False, rent: True}
    for on in ([str(news), rent], [rent], [str(news), rent]):
        assert (await press(page, where, "", on=on)).headers["location"].endswith("?saved")
        assert boxes(await page.client.get(where)) == {str(news): str(news) in on, rent: True}
    assert page.rows("SELECT kind, category_id FROM consent ORDER BY at") == [(1, news), (3, news), (1, news)]
    letter = page.rows("SELECT id FROM message LIMIT 1")[0][0]
    assert "You gave consent on" not in (await page.client.get(home(page, letter))).text  # it was sent as rent
