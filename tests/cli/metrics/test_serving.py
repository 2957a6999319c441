"""The metrics' process over HTTP, on a real database: every stage is told, and health says what is wrong in a sentence."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse
from tests.faults.house import free_port

from troth.cli.metrics import serving
from troth.cli.metrics.beating import folder
from troth.outside import meters
from troth.outside.meters import Sheet
from troth.settings import Settings


@pytest.fixture
async def metrics(river, tmp_path):
    where = river.database.conninfo()
    url = f"postgresql://postgres@/{where['dbname']}?host={quote(where['host'], safe='')}&port={where['port']}"
    settings = Settings(var_dir=tmp_path, database_url=url, metrics_port=free_port(), mode="test")
    stop = asyncio.Event()
    task = asyncio.create_task(serving.serve(settings, stop))
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.metrics_port}") as client:
        for _ in range(100):
            try:
                await client.get("/livez")
                break
            except httpx.ConnectError:
                await asyncio.sleep(0.05)
        client.var = tmp_path
        yield client
    stop.set()
    await task


async def told(client):
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parse(answer.text)
        for sample in family.samples
    }


async def test_every_stage_is_told(river, metrics):
    river.queue("ann@home.example", copies=3, due=datetime.now(UTC) - timedelta(seconds=90))
    river.queue("ann@home.example", due=datetime.now(UTC) + timedelta(hours=2))
    river.database.run("SELECT pause_v1(ARRAY[NULL::uuid], 'stop-new', 'x', 'test')")
    river.database.fill("INSERT INTO clock_mark (high_water) VALUES (now())")
    (metrics.var / "backup.json").write_text('{"at": "2026-01-01T00:00:00+00:00"}')
    found = await told(metrics)
    assert 89 < found["troth_queue_age_seconds",] < 120
    assert found["troth_queue_due",] == 3
    assert found["troth_spool_rows", "queued"] == 4
    assert found["troth_spool_rows", "sending"] == 0
    assert found["troth_pauses", "stop-new"] == 1
    assert found["troth_domains", "yes"] == 1
    assert found["troth_ledger_pending",] >= 1
    assert found["troth_store_up",] == found["troth_ready",] == 1
    assert found["troth_backup_age_seconds",] > 1000
    assert 0 <= found["troth_duties_age_seconds",] < 60


async def test_health_names_what_does_not_work(river, metrics):
    good = await metrics.get("/healthz")
    assert (good.status_code, good.json()["status"]) == (200, "ok")
    silent = Sheet("sequencer", 1, "", time.time() - 100, False, {}, {}, {})
    meters.write(folder(metrics.var), silent)
    await asyncio.sleep(1.1)
    bad = await metrics.get("/healthz")
    assert bad.status_code == 503
    assert "sequencer" in bad.json()["sentence"]
    assert bad.headers["retry-after"]


async def test_without_the_database_the_processes_are_still_told(river, metrics):
    meters.write(folder(metrics.var), Sheet("door", 1, "", time.time(), False, {}, {}, {}))
    river.database.server.stop()
    await asyncio.sleep(1.1)
    began = time.monotonic()
    answer = await metrics.get("/healthz")
    found = await told(metrics)
    assert time.monotonic() - began < 6
    assert answer.status_code == 503
    assert "database does not answer" in answer.json()["sentence"]
    assert found["troth_store_up",] == found["troth_ready",] == 0
    assert found["troth_processes", "door"] == 1
    assert ("troth_queue_age_seconds",) not in found
    assert (await metrics.get("/livez")).status_code == 200


async def test_a_port_that_is_taken_is_waited_for(tmp_path, monkeypatch):
    import socket

    monkeypatch.setattr(serving, "_AGAIN", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = Settings(var_dir=tmp_path, metrics_port=other.getsockname()[1])
        stop = asyncio.Event()
        task = asyncio.create_task(serving.serve(settings, stop))
        await asyncio.sleep(0.3)
        assert not task.done()
        stop.set()
        await task
