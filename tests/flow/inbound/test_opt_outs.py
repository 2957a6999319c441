"""A mail to List-Unsubscribe's address over a real connection: the opt-out is committed before the 250, and once."""

import asyncio
from datetime import timedelta

import psycopg
import pytest
from tests.flow.inbound.conftest import DOMAIN, LETTER
from tests.support.firm import now

from troth.keys.ids import uuid7
from troth.mail.arrived import Verdict


async def test_a_letter_opts_out_at_once_and_once(house, post, page):
    message = await page.send()
    there = await post(house.desks)
    before = now()
    for _ in range(3):
        who = await there.stranger()
        assert (await who.mail(house.address(message).upper())).startswith("250 2.0.0")
        assert await who.all(b"QUIT") == ["221"]
    assert page.stopped() == ([(page.firm.category, "unsubscribe")], [])
    assert page.rows("SELECT kind, basis FROM consent") == [(3, "mailto")]
    assert page.events(message) == [1, 15]
    ((at,),) = page.rows("SELECT created_at FROM opt_out")
    assert at - before < timedelta(seconds=1)
    assert page.rows("SELECT state FROM message WHERE id = %s", await page.send()) == [(11,)]
    assert there.server.tally["taken"] == 3


async def test_many_at_once_are_one(house, post, page):
    message = await page.send()
    there = await post(house.desks)
    people = [await there.stranger() for _ in range(6)]
    answers = await asyncio.gather(*(who.mail(house.address(message)) for who in people))
    assert {answer[:3] for answer in answers} == {"250"}
    assert page.rows("SELECT count(*) FROM opt_out") == [(1,)]
    assert page.events(message) == [1, 15]


async def test_asking_for_the_address_changes_nothing(house, post, page):
    """Servers ask whether an address is there, with no sender and no letter."""
    message = await page.send()
    who = await (await post(house.desks)).stranger()
    to = b"RCPT TO:<%s>" % house.address(message).encode()
    assert await who.all(b"MAIL FROM:<>", to, b"RSET", b"MAIL FROM:<a@b.example>", to, b"QUIT") == [
        "250", "250", "250", "250", "250", "221"]  # fmt: skip
    assert page.stopped() == ([], [])


async def test_addresses_that_are_not_ours_are_refused_at_rcpt(house, post, page):
    message = await page.send()
    who = await (await post(house.desks)).stranger()
    good = house.address(message)
    forged = good.replace("+" + good[5], "+" + ("b" if good[5] == "a" else "a"))
    for wrong in (f"someone@{DOMAIN}", "ann@example.net", forged, house.address(message, now() - timedelta(days=1)),
                  house.address(uuid7(now())), "postmaster@example.net", f"stop+@{DOMAIN}"):  # fmt: skip
        assert (await who.mail(wrong)).startswith("550 5.1.1"), wrong
        await who.say(b"RSET")
    assert page.stopped() == ([], [])


@pytest.mark.parametrize(
    ("sender", "head"), [(b"<>", b""), (b"<ann@example.net>", b"Auto-Submitted: auto-replied\r\n")]
)
async def test_an_answering_machine_opts_nobody_out(house, post, page, sender, head):
    message = await page.send()
    there = await post(house.desks)
    who = await there.stranger()
    assert (await who.mail(house.address(message), head + LETTER, sender)).startswith("550 5.7.1")
    assert page.stopped() == ([], [])
    assert there.server.tally["automatic"] == 1


class Cut:
    """A desk whose process is killed between the act and the answer, as far as the sender can tell."""

    name = "cut"

    def __init__(self, desk):
        self.desk, self.server = desk, None

    async def knows(self, address):
        return await self.desk.knows(address)

    async def take(self, addresses, arrived):
        done = await self.desk.take(addresses, arrived)
        for session in tuple(self.server._live):
            session.cut()
        await asyncio.sleep(5)
        return done


async def test_a_kill_between_act_and_answer_is_one_opt_out(house, post, page):
    message = await page.send()
    cut = Cut(house.opt_outs)
    there = await post([cut])
    cut.server = there.server
    who = await there.stranger()
    assert await who.mail(house.address(message)) == ""
    assert page.rows("SELECT count(*) FROM opt_out") == [(1,)]
    again = await (await post(house.desks)).stranger()
    assert (await again.mail(house.address(message))).startswith("250")
    assert page.rows("SELECT count(*) FROM opt_out") == [(1,)]
    assert page.events(message) == [1, 15]


class Away:
    """A desk without its store, as the driver tells it: at RCPT, or only once the letter is there."""

    name = "away"

    def __init__(self, *, late, error=psycopg.OperationalError):
        self.late, self.error = late, error

    async def knows(self, _address):
        if not self.late:
            raise self.error("gone")
        return True

    async def take(self, _addresses, _arrived):
        raise self.error("gone")


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("error", [psycopg.OperationalError, TimeoutError])
async def test_without_the_store_nothing_is_promised(post, late, error):
    there = await post([Away(late=late, error=error)])
    who = await there.stranger()
    assert (await who.mail(f"x@{DOMAIN}")).startswith("451 4.3.0")
    assert (await who.say(b"NOOP")).startswith("250")
    assert there.server.tally["away"] == 1


@pytest.mark.parametrize("late", [False, True])
async def test_a_fault_of_ours_is_temporary_and_says_nothing_of_itself(post, late, capsys):
    there = await post([Away(late=late, error=ZeroDivisionError)])
    who = await there.stranger()
    answer = await who.mail(f"x@{DOMAIN}")
    assert answer.startswith("451 4.3.0")
    assert "ZeroDivision" not in answer
    assert there.server.tally["broken"] == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


async def test_a_database_that_ends_connections_is_waited_for(house, post, page):
    """A real loss: the connections are ended in the server; the sender comes again."""
    message = await page.send()
    who = await (await post(house.desks)).stranger()
    to = b"RCPT TO:<%s>" % house.address(message).encode()
    assert await who.all(b"MAIL FROM:<a@b.example>", to) == ["250", "250"]
    page.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'troth door'")
    assert await who.all(b"DATA", LETTER + b".\r\n") == ["354", "451"]
    assert page.stopped() == ([], [])
    assert (await who.mail(house.address(message))).startswith("250")
    assert page.stopped()[0]


async def test_what_it_was_about_is_gone_by_the_time_of_the_letter(post):
    class Gone(Away):
        async def take(self, addresses, arrived):
            return Verdict.GONE

    who = await (await post([Gone(late=True)])).stranger()
    assert (await who.mail(f"x@{DOMAIN}")).startswith("550 5.1.1")


async def test_the_desk_itself_finds_nothing_left(house, page):
    from troth.mail.arrived import Arrived

    arrived = Arrived("192.0.2.7", "a@b.example", LETTER)
    assert await house.opt_outs.take([house.address(uuid7(now()))], arrived) is Verdict.GONE
    assert not await house.opt_outs.knows(f"someone@{DOMAIN}")
