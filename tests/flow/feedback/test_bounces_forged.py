"""A thousand forged bounces with real bodies, over SMTP: no suppression, no event, and no word by which one is told from
another.
"""

import asyncio
import json
import socket
import sys
from pathlib import Path

import pytest
from tests.flow.feedback.bounced import DOMAIN, bounces, dsn

from troth.flow.inbound.limits import Limits
from troth.flow.inbound.server import Server
from troth.rules.states import Kind, State

__all__ = ["bounces"]
ROOT = Path(__file__).resolve().parents[3]
CORPUS = ROOT.parent / "shared" / "corpora" / "bounce-sisimai"


@pytest.fixture
def real(tmp_path):
    """A folder of real bounces: the corpus where it is, and else what the demo's relay would write."""
    if CORPUS.is_dir():
        return CORPUS
    for n, status in enumerate(("5.1.1", "5.2.2", "5.7.1", "4.2.2")):
        (tmp_path / f"{n}.eml").write_bytes(dsn(status=status))
    return tmp_path


async def test_a_thousand_forged_bounces_change_nothing(bounces, real):
    (message,) = await bounces.sent()
    before = bounces.river.told(message)
    listening = socket.create_server(("127.0.0.1", 0))
    server = Server([bounces.desk], "mx.example", Limits())
    await server.start(listening)
    good = bounces.path(message)
    forger = await asyncio.create_subprocess_exec(
        sys.executable, str(ROOT / "scripts/forged.py"), "--port", str(listening.getsockname()[1]), "--domain", DOMAIN,
        "--letters", str(real), "--seen", good.partition("@")[0], "--count", "1000", "--seed", "7",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(forger.communicate(), 240)
    await server.stop()
    assert forger.returncode == 0
    told = json.loads(said)
    assert told == {"kind": "bounce", "sent": 1_000, "answers": {"250": 1_000}}, "the same word to all"
    assert bounces.river.database.run("SELECT count(*) FROM suppression") == [(0,)]
    assert bounces.river.told(message) == before == [Kind.SENT]
    assert bounces.river.state(message) is State.SENT
    counted = bounces.counted()
    assert set(counted) <= {("bounce", "forged"), ("bounce", "expired")}
    assert sum(n for n, _ in counted.values()) == 1_000
    assert len(bounces.kept()) == 1_000 - sum(dropped for _, dropped in counted.values())
    assert len(bounces.kept()) <= 800
    await bounces.take(good, dsn())
    assert bounces.river.state(message) is State.BOUNCED, "the good one still counts"
