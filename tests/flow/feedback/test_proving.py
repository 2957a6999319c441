"""What reaches beyond one mail takes a code that was mailed to the address itself: whoever was passed a mail on sees that
mail and no other, and erases nobody. Who cannot be mailed asks the firm, which gets a clock.
"""

import asyncio
import re
from types import SimpleNamespace
from uuid import uuid4

import pytest
from tests.flow.feedback.test_own import everything, home, press, proof, shown_as
from tests.flow.feedback.test_unsubscribe import page
from tests.flow.submission.doors import add_system_tenant
from tests.support.firm import now

from troth.flow.feedback import Deps
from troth.flow.feedback.proof import browser
from troth.flow.gate.accept import StoreAway
from troth.keys import places
from troth.keys.installation import Purpose
from troth.mail.letter import decode

__all__ = ["page"]
ACTS = ("/all", "/erase")


@pytest.fixture
async def system(page):
    return add_system_tenant(page.operator, page.firm)


def mailed(page, system):
    """The variables of each mail of Troth's own, the newest last."""
    found = []
    for message, body, person, data_key, keyset in page.rows(
        "SELECT b.message_id, b.body_ct, p.id, p.data_key, t.keyset FROM message_body b JOIN message m ON m.id = b.message_id"
        " JOIN person p ON p.id = m.person_id JOIN tenant t ON t.id = p.tenant_id WHERE b.tenant_id = %s ORDER BY b.message_id",
        system,
    ):
        key = page.operator.keyring.tenant(system, keyset).person(data_key, person)
        found.append(decode(key.open(body, places.body(message))).variables)
    return found


async def asked(page, where, act):
    """The page where the code is typed, after a press on the one that asks for it."""
    answer = await press(page, where, act, sure="yes")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].startswith(f"{where}/code?of=")
    return await page.client.get(answer.headers["location"])


async def typed(page, where, shown, code):
    data = {"proof": proof(shown, "/code"), **shown_as(shown), "code": code}
    return await page.client.post(f"{where}/code", data=data)


async def test_without_a_code_a_copy_is_of_the_one_message(page, system):
    await page.send()
    message = await page.send()
    where = home(page, message)
    await press(page, where, "")
    told = (await press(page, where, "/copy")).json()
    assert [one["id"] for one in told["messages"]] == [str(message)]
    assert told["messages"][0]["content"]["variables"] == {"name": "Ann"}
    assert set(told) == {"taken_at", "held_for", "address", "status", "messages", "messages_complete", "rest"}
    assert mailed(page, system) == []


@pytest.mark.parametrize("act", ACTS)
async def test_asking_does_nothing_but_mail_a_code(page, system, act):
    where = home(page, await page.send())
    shown = await asked(page, where, act)
    assert "Type the code" in shown.text
    [variables] = mailed(page, system)
    assert re.fullmatch("[0-9]{6}", variables["code"])
    assert variables["client"] == "Firm firm"
    assert variables["code"] not in shown.text
    assert page.rows("SELECT status FROM person WHERE tenant_id = %s", page.firm.tenant) == [(2,)]
    assert page.rows("SELECT kind FROM ledger_pending WHERE kind LIKE 'privacy:%%'") == []
    [(kept,)] = page.rows("SELECT code_hash FROM own_code")
    assert variables["code"].encode() not in kept


async def test_a_code_erases_once(page, system):
    message = await page.send()
    where = home(page, message)
    shown = await asked(page, where, "/erase")
    code = mailed(page, system)[0]["code"]
    answer = await typed(page, where, shown, f" {code[:3]} {code[3:]} ")
    assert (answer.status_code, "You have been erased" in answer.text) == (200, True)
    people = page.rows("SELECT status, address_ct, data_key FROM person ORDER BY created_at")
    assert people == [(4, None, None)] * 2, "and Troth's own copy, with the mail that brought the code"
    assert (await typed(page, where, shown, code)).status_code == 410
    assert page.rows("SELECT count(*) FROM ledger_pending WHERE kind = 'privacy:person:erase'") == [(2,)]
    for act in ACTS:
        assert "You were erased" in (await page.client.get(where + act)).text
    answer = await press_again(page, where, message)
    assert answer.headers["location"].endswith("?same")


async def press_again(page, where, message):
    """The form that asks, from a look before the erasure."""
    keys = page.operator.secrets.token_keys(Purpose.UNSUBSCRIBE)
    who = browser(keys, SimpleNamespace(cookies=dict(page.client.cookies)), now())
    return await page.client.post(where + "/erase", data={"proof": who.form(message, "erase"), "sure": "yes"})


async def test_a_code_gives_everything_and_the_ledger_knows(page, system):
    first, second = await page.send(), await page.send()
    where = home(page, second)
    await press(page, where, "")
    shown = await asked(page, where, "/all")
    answer = await typed(page, where, shown, mailed(page, system)[0]["code"])
    assert answer.headers["content-disposition"] == 'attachment; filename="held-about-me.json"'
    told = answer.json()
    assert (told["address"], told["status"], told["messages_complete"]) == ("ann@example.net", "verified", True)
    assert told["consents"][0]["detail"]["wording"] == "Switched off: Rent. Rent notices"
    assert told["switches"][0] | {"at": ""} == {"category": "Rent", "at": "", "to": "off", "by": "own-page"}
    assert [one["id"] for one in told["messages"]] == [str(second), str(first)]
    assert page.rows("SELECT count(*) FROM ledger_pending WHERE kind = 'privacy:person:export'") == [(1,)]
    assert (await typed(page, where, shown, mailed(page, system)[0]["code"])).status_code == 410


async def test_five_wrong_codes_end_it(page, system):
    where = home(page, await page.send())
    shown = await asked(page, where, "/erase")
    code = mailed(page, system)[0]["code"]
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for none in ("", "12345", "abcdef", "1" * 4000, "１２３４５６"):
        answer = await typed(page, where, shown, none)
        assert (answer.status_code, "six digits" in answer.text, "5 tries left" in answer.text) == (422, True, True)
    for left in (4, 3, 2, 1):
        answer = await typed(page, where, shown, wrong)
        assert (answer.status_code, f"You have {left} tr" in answer.text) == (422, True)
    assert (await typed(page, where, shown, wrong)).status_code == 410
    assert (await typed(page, where, shown, code)).status_code == 410
    assert page.rows("SELECT status FROM person WHERE tenant_id = %s", page.firm.tenant) == [(2,)]


async def test_a_code_is_of_its_browser_its_message_and_its_time(page, system):
    where, other = home(page, await page.send()), home(page, await page.send())
    shown = await asked(page, where, "/erase")
    at = str(shown.url.copy_with(scheme=None, host=None, port=None))
    code = mailed(page, system)[0]["code"]
    elsewhere = await page.client.get(at.replace(where, other))
    assert (elsewhere.status_code, "serves no more" in elsewhere.text) == (410, True)
    mine = dict(page.client.cookies)
    page.client.cookies.clear()
    theirs = await page.client.get(at)  # somebody else who has the mail, and learned the code's address
    assert (await typed(page, where, theirs, code)).status_code == 422
    page.client.cookies.clear()
    page.client.cookies.update(mine)
    page.operator.admin.execute("UPDATE installation SET clock_offset = interval '31 minutes'")
    assert (await typed(page, where, shown, code)).status_code == 410
    for none in ("", "x", str(uuid4())):
        assert (await page.client.get(f"{where}/code?of={none}")).status_code == 410
    assert page.rows("SELECT status FROM person WHERE tenant_id = %s", page.firm.tenant) == [(2,)]


async def test_a_code_for_a_copy_erases_nobody(page, system):
    where = home(page, await page.send())
    shown = await asked(page, where, "/all")
    code = mailed(page, system)[0]["code"]
    forms = await page.client.get(where + "/erase")
    data = {"proof": proof(forms, "/erase"), **shown_as(shown), "code": code, "sure": "yes"}
    assert (await page.client.post(where + "/erase", data=data)).status_code == 403
    assert page.rows("SELECT status FROM person WHERE tenant_id = %s", page.firm.tenant) == [(2,)]


@pytest.mark.parametrize("act", ACTS)
async def test_looking_and_sending_a_form_as_it_was_found_change_nothing(page, system, act):
    where = home(page, await page.send())
    shown = await asked(page, where, act)
    at = str(shown.url.copy_with(scheme=None, host=None, port=None))
    before = everything(page)
    for _ in range(10):
        for path in (where + act, at):
            assert (await page.client.get(path)).status_code == 200
            assert (await page.client.head(path)).status_code == 200
    assert (await press(page, where, act)).status_code == 422
    assert (await typed(page, where, shown, "")).status_code == 422
    assert everything(page) == before


async def test_an_address_is_mailed_three_codes_an_hour_and_ten_a_day(page, system):
    one, two = home(page, await page.send()), home(page, await page.send())
    for hour, most in ((0, 3), (2, 3), (4, 3), (6, 1)):
        page.operator.admin.execute("UPDATE installation SET clock_offset = make_interval(hours => %s)", (hour,))
        page.operator.admin.execute(
            "UPDATE domain_state SET ready_until = now_v1() + interval '9 hours', checked_at = now_v1()"
        )
        for n in range(most):
            await asked(page, (one, two)[n % 2], "/all")
        answer = await press(page, one, "/erase", sure="yes")
        assert (answer.status_code, "No code was mailed" in answer.text) == (429, True)
    assert len(mailed(page, system)) == 10


async def test_who_may_not_be_mailed_asks_the_firm_which_gets_a_clock(page, system):
    message = await page.send()
    where = home(page, message)
    page.operator.admin.execute(
        "SELECT suppress_v1(ARRAY[%s], ARRAY[1]::smallint[], ARRAY['dsn'], ARRAY[NULL]::uuid[], ARRAY[NULL]::bytea[])",
        (page.firm.index("ann@example.net"),),
    )
    for act in (*ACTS, "/erase"):
        answer = await press(page, where, act, sure="yes")
        assert (answer.status_code, "The sender was asked" in answer.text) == (200, True)
        assert "1 Test Street" in answer.text
    tasks = page.rows(
        "SELECT asks, about, tenant_id, due - opened_at BETWEEN interval '28 days' AND interval '31 days'"
        " FROM serve_otherwise ORDER BY asks"
    )
    assert tasks == [("copy", message, page.firm.tenant, True), ("erasure", message, page.firm.tenant, True)]
    assert page.rows("SELECT count(*) FROM ledger_pending WHERE kind = 'privacy:request:open'") == [(2,)]
    assert page.rows("SELECT status FROM person WHERE tenant_id = %s", page.firm.tenant) == [(2,)]


async def test_where_troth_cannot_write_at_all_the_firm_is_asked(page):
    where = home(page, await page.send())
    answer = await press(page, where, "/erase", sure="yes")  # the programme has no system tenant
    assert "The sender was asked" in answer.text
    add_system_tenant(page.operator, page.firm)
    page.operator.revoke(page.rows("SELECT subject FROM governed WHERE code = 'own-code'")[0][0])
    answer = await press(page, where, "/all", sure="yes")
    assert "The sender was asked" in answer.text
    assert page.rows("SELECT asks FROM serve_otherwise ORDER BY asks") == [("copy",), ("erasure",)]


async def test_what_passes_is_not_made_a_task(page, system, monkeypatch):
    """The gate says not now, or nothing at all."""
    where = home(page, await page.send())
    page.operator.govern("policy", system, "tenant", {"limits": {"tenant_hour": 1}})
    await asked(page, where, "/all")
    answer = await press(page, where, "/all", sure="yes")
    assert (answer.status_code, "cannot be mailed just now" in answer.text) == (503, True)
    await page.gate.stop()

    async def away(_ask):
        raise StoreAway("away")

    monkeypatch.setattr(type(page.gate), "submit", lambda _self, ask: away(ask))
    answer = await press(page, where, "/all", sure="yes")
    assert answer.status_code == 503
    assert page.rows("SELECT count(*) FROM serve_otherwise") == [(0,)]


async def test_of_two_presses_of_one_code_one_erases(page, system):
    where = home(page, await page.send())
    shown = await asked(page, where, "/erase")
    code = mailed(page, system)[0]["code"]
    answers = await asyncio.gather(*(typed(page, where, shown, code) for _ in range(4)))
    assert sorted(a.status_code for a in answers) == [200, 410, 410, 410]


async def test_troths_own_mail_has_a_page_that_erases_no_client(page, system):
    await asked(page, home(page, await page.send()), "/all")
    [(own,)] = page.rows("SELECT id FROM message WHERE tenant_id = %s", system)
    where = home(page, own)
    shown = await page.client.get(where + "/erase")
    assert "It concerns the request in this email alone" in shown.text
    assert "no new ones are taken" not in shown.text
    answer = await typed(page, where, await asked(page, where, "/erase"), mailed(page, system)[-1]["code"])
    assert (answer.status_code, "Withdrawn" in answer.text) == (200, True)
    for end in ("", "/all", "/erase", "/report"):
        later = await page.client.get(where + end)
        assert "The request in this email was withdrawn on <time" in later.text
        for what in ("ann@example.net", "Download", "confirm", "<form", "Troth"):
            assert what not in later.text, what
    assert page.rows("SELECT status FROM person WHERE tenant_id = %s", page.firm.tenant) == [(2,)]
    assert page.rows("SELECT state FROM message WHERE id = %s", await page.send()) == [(2,)]


async def test_an_address_that_opens_no_more_cannot_be_mailed(page, system):
    where = home(page, await page.send())
    page.operator.admin.execute("UPDATE person SET address_ct = '\\x02'::bytea || sha256('x')")
    assert "The sender was asked" in (await press(page, where, "/all", sure="yes")).text


async def test_a_door_without_a_gate_mails_nothing_and_says_so(page, system):
    deps = Deps(None, page.operator.keyring, page.operator.secrets)
    with pytest.raises(StoreAway):
        await deps.submit(None)
