"""Correctness promise 3 at full speed: none is sent whose mark began after a suppression, an opt-out or a pause was
committed. PostgreSQL itself notes when each mark's statement began, by a trigger put in from outside.
"""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest
from tests.faults.client import Client, Http
from tests.faults.house import PEOPLE, open_house

from troth.mail.address import parse_address

MESSAGES = 2_400
VICTIMS = PEOPLE[:3]

# A trigger of the superuser's: the worker may not write into this table itself.
_WATCH = """
CREATE TABLE public.mark_seen (message_id uuid, person_id uuid, began timestamptz);
CREATE FUNCTION public.see_mark() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN
    INSERT INTO public.mark_seen VALUES (NEW.message_id, NEW.person_id, statement_timestamp()); RETURN NULL; END $$;
CREATE TRIGGER see_mark AFTER UPDATE ON troth.spool FOR EACH ROW WHEN (NEW.state = 4 AND OLD.state <> 4)
    EXECUTE FUNCTION public.see_mark();
"""
_AFTER = "SELECT count(*) FROM public.mark_seen WHERE began > %s AND person_id = ANY(%s)"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.xdist_group("faults")]


class Scheduled(Client):
    """A client whose mail is all due at one moment, so that the workers meet a full queue."""

    due = None

    def email(self, marker):
        return super().email(marker) | {"scheduled_at": self.due.isoformat()}


async def fill(house, seconds):
    """MESSAGES in batches, due `seconds` from now."""
    client = Scheduled(house.port, house.key, house.sender, PEOPLE[:12], 1.0, dice=random.Random(5))
    client.due = datetime.now(UTC) + timedelta(seconds=seconds)
    http = Http(house.port)
    for _ in range(MESSAGES // 100):
        await client.send(http, 100)
    await http.end()
    assert datetime.now(UTC) < client.due, "the queue was not full in time: this machine is too busy for the test"
    return client


def commit(house, statement, *params):
    """One act as the role that may do it; the time, by the server's clock, when it was surely committed."""
    with house.database("troth_flow") as connection:
        connection.execute(statement, params)
        return connection.execute("SELECT clock_timestamp()").fetchone()[0]


async def until_marked(house, least):
    """Workers are at it: so many marks were made."""
    while house.rows("SELECT count(*) FROM public.mark_seen")[0][0] < least:
        await asyncio.sleep(0.02)


async def test_nothing_is_marked_after_a_suppression_or_an_opt_out_is_committed():
    with open_house() as house:
        house.configure(doors=1, workers=2)
        house.up()
        await house.ready()
        house.rows(_WATCH)
        client = await fill(house, 12.0)
        index = house.secrets.blind_index()
        people = [(address, index.index(parse_address(address).normal)) for address in VICTIMS]
        category = house.rows("SELECT DISTINCT category_id FROM spool")[0][0]
        await until_marked(house, 150)
        acts = {}
        for number, (address, blind) in enumerate(people):
            if number < 2:
                acts[address] = commit(house, "SELECT suppress_v1(%s, %s::smallint[], %s, %s::uuid[], %s)",
                                       [blind], [2], ["test"], [house.tenant], [None])  # fmt: skip
            else:
                acts[address] = commit(house, "SELECT opt_out_v1(%s, %s, %s, 'test')", house.tenant, blind, category)
            await asyncio.sleep(0.3)
        await house.drained()
        states = house.states()
        print(f"{states}: suppressed at {[f'{at:%S.%f}' for at in acts.values()]}")
        assert states["sent"] + states["suppressed"] == len(client.promised) == MESSAGES
        assert states["suppressed"] > 100, "the acts came when all was sent: the test has shown nothing"
        taken = [arrival for found in house.sink.arrivals().values() for arrival in found]
        assert len(taken) == states["sent"]
        for (address, blind), at in zip(people, acts.values(), strict=True):
            persons = [row[0] for row in house.rows("SELECT id FROM person WHERE blind_index = %s", blind)]
            assert house.rows(_AFTER, at, persons) == [(0,)], f"{address} was marked after {at}"
            late = [
                arrival.at for arrival in taken if arrival.rcpt == address and arrival.at > at + timedelta(seconds=2)
            ]
            assert not late, "what is marked is on the wire within 2 s"


async def test_nothing_is_marked_while_delivery_is_paused():
    with open_house() as house:
        house.configure(doors=1, workers=2)
        house.up()
        await house.ready()
        house.rows(_WATCH)
        client = await fill(house, 12.0)
        await until_marked(house, 150)
        with house.database("troth_flow") as connection:  # as the watch does; a person's stop needs their session
            connection.execute(
                "SELECT pause_v1(%s::uuid[], 'stop-delivery', 'a test of the brake', 'anomaly')", ([house.tenant],)
            )
            at = connection.execute("SELECT clock_timestamp()").fetchone()[0]
        await asyncio.sleep(3)
        marked = house.rows("SELECT count(*) FROM public.mark_seen WHERE began > %s", at)
        assert marked == [(0,)]
        assert not [a for found in house.sink.arrivals().values() for a in found if a.at > at + timedelta(seconds=2)]
        states = house.states()
        print(states)
        assert states["sent"] < MESSAGES == sum(states.values()) == len(client.promised)
        assert set(states) <= {"sent", "held", "queued"}, "what is stopped waits; nothing is lost to it"
