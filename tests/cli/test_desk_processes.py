"""The desks, composed: the webhooks process mails whoever reported; the server for incoming mail knows both addresses."""

import asyncio
from urllib.parse import quote

from tests.flow.feedback import desk_world
from tests.flow.feedback.test_desks import LETTER
from tests.support.firm import operator

from troth.cli import inbound, webhooks, wiring
from troth.flow.submission.connections import Connections
from troth.settings import Settings

__all__ = ["operator"]


def settings_of(operator, folder):
    where = operator.database.conninfo("troth_flow")
    url = f"postgresql://troth_flow@/{where['dbname']}?host={quote(where['host'], safe='')}"
    return Settings(mode="test", var_dir=folder, key_file=operator.kms_path, database_url_flow=url,
                    return_path_domain="in.example", inbound_port=2599)  # fmt: skip


async def test_the_webhooks_process_mails_whoever_reported(operator, tmp_path):
    world = await desk_world.world(operator)
    world.aligned, stop = True, asyncio.Event()
    await world.bring(LETTER)
    running = asyncio.create_task(webhooks.serve(settings_of(operator, tmp_path), stop))
    try:
        async with asyncio.timeout(20):
            while not world.rows("SELECT 1 FROM case_letter WHERE done_at IS NOT NULL"):
                await asyncio.sleep(0.1)
    finally:
        stop.set()
        await running
        await desk_world.end(world)
    assert world.rows("SELECT email_id IS NOT NULL, why FROM case_letter") == [(True, None)]


async def test_the_server_for_incoming_mail_has_both_desks(operator, tmp_path):
    settings = settings_of(operator, tmp_path)
    connect = wiring.connect_flow(settings)
    keys = await wiring.flow_keys(settings, connect)
    connections = Connections(lambda _name: connect("inbound"))
    try:
        desks = {desk.name: desk for desk in inbound.build(settings, connections, keys)._desks}
        assert await desks["abuse"].knows("abuse+tag@in.example")
        assert await desks["security"].knows("security@in.example")
        assert not await desks["postmaster"].knows("abuse@in.example")
    finally:
        await connections.close()
