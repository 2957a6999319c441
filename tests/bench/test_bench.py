"""The bench itself: a tiny one runs to its last line, and its check finds what is forged, missing or unsealed."""

import json
import os
import shutil
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from tests.bench import check, ground, peer
from tests.support.firm import PRIVATE_PEM, PUBLIC_DER

from troth.mail.dkim import Signer
from troth.mail.mailbox import parse_mailbox
from troth.mail.mime import assemble
from troth.mail.outgoing import Outgoing
from troth.mail.wire import wire
from troth.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SIGNER = check.Signer(PUBLIC_DER, ground.DOMAIN, "s1")
TINY = "--count-2k 40 --count-50k 10 --rounds 1 --warm-up 10 --old 1 --suppressions 500"


def bench(*words):
    mine = {n: v for n, v in os.environ.items() if not n.startswith(("COVERAGE", "COV_", "TROTH_"))}
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench", *words], cwd=ROOT, env=mine, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout, json.loads(done.stdout.splitlines()[-1])


def test_a_tiny_bench_says_every_figure_and_checks_itself():
    said, told = bench(*TINY.split(), "--no-peer")
    for size in ("size_2k", "size_50k"):
        figures = told[size]
        assert {"ours_per_s", "postfix_dkim_per_s", "ratio", "cpu_s_per_1000", "pss_mb"} <= figures.keys()
        assert figures["ours_per_s"] > 0
        assert figures["ratio"] is None
    for way in ("size_2k_one_by_one", "size_50k_one_by_one", "size_50k_without_template"):
        assert told[way]["ours_per_s"] > 0
    for row in ("snapshot", "suppressions"):
        assert told[row]["ratio"] > 0
    assert "500 addresses are suppressed" in said
    assert told["check"]["equal"]
    assert told["check"]["dkim_valid_at_sink"] == told["check"]["sent_events"] == told["check"]["sealed_leaves"]
    assert told["check"]["sent_events"] == told["check"]["asked"] > 200
    assert len(told["settings_sha256"]) == 64
    assert told["stages_us"]["all"] > told["stages_us"]["worker: compose and sign"] > 0


@pytest.mark.needs_root
def test_the_peer_takes_the_same_message_in_the_same_run():
    said, told = bench(*TINY.split(), "--only", "plain")
    assert told["size_2k"]["postfix_dkim_per_s"] > 0
    assert told["size_2k"]["ratio"] == pytest.approx(
        told["size_2k"]["ours_per_s"] / told["size_2k"]["postfix_dkim_per_s"], rel=0.01
    )
    assert "Postfix with OpenDKIM is up beside it." in said


def test_without_postfix_the_reason_is_said(monkeypatch):
    monkeypatch.setattr(peer, "_FIND", "/nowhere")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(peer.NoPeer, match="not installed, and installing them needs root"):
        peer.prepare()


def test_the_settings_hash_is_of_behaviour_and_not_of_the_machine():
    usual = Settings()
    assert ground.settings_hash(usual) == ground.settings_hash(replace(usual, http_port=9, var_dir=Path("elsewhere")))
    assert ground.settings_hash(usual) != ground.settings_hash(replace(usual, claim_batch=7))


# ---- the check


def message(message_id):
    sender, reader = parse_mailbox(ground.SENDER), parse_mailbox("reader@d00.sink.test")
    outgoing = Outgoing(
        message_id=f"{message_id.hex}@{ground.DOMAIN}", date=datetime.now(UTC), from_=sender, to=(reader,),
        subject="Hello", html="<p>Good  day</p>\n\n", text="Good  day\n\n\n",
    )  # fmt: skip
    assembled = assemble(outgoing)
    return wire(Signer(ground.DOMAIN, "s1", PRIVATE_PEM).sign(assembled), assembled)


def shelf(folder, *contents):
    (folder / "messages").write_bytes(b"".join(struct.pack("<I", len(one)) + one for one in contents))
    return folder


@pytest.fixture
def made(tmp_path):
    """Three messages at the sink, each with its event, all sealed."""
    ids = [uuid4() for _ in range(3)]
    events = {one: one.bytes * 2 for one in ids}
    return ids, [message(one) for one in ids], events, tmp_path


def verdict(folder, events, hashes=None, wrong=()):
    sealed = set(events.values()) if hashes is None else hashes
    return check.compare(check.arrived(folder, SIGNER), events, sealed, list(wrong))


def test_all_there_is_equal(made):
    ids, contents, events, folder = made
    found = verdict(shelf(folder, *contents), events)
    assert found.equal
    assert (found.at_sink, found.sent_events, found.sealed_leaves) == (3, 3, 3)


@pytest.mark.parametrize("change", [
    (b"Good  day", b"Bad   day"), (b"Subject: Hello", b"Subject: Hallo"), (b"From: The", b"From: A"),
    (b"Message-ID: <", b"Subject: two\r\nMessage-ID: <"), (b"s=s1;", b"s=s2;"), (b"bh=", b"l=5; bh="),
    (b"DKIM-Signature:", b"X-Signature:"),
])  # fmt: skip
def test_a_forged_message_is_found(made, change):
    ids, contents, events, folder = made
    assert change[0] in contents[1]
    contents[1] = contents[1].replace(*change, 1)
    found = verdict(shelf(folder, *contents), events)
    assert found.at_sink == 2
    assert any("not valid" in sentence for sentence in found.differences)
    assert "1 messages have a `sent` event and did not reach the sink." in found.differences


def test_a_missing_and_a_second_one_are_found(made):
    ids, contents, events, folder = made
    found = verdict(shelf(folder, contents[0], contents[0], contents[1]), events)
    assert "1 messages have a `sent` event and did not reach the sink." in found.differences
    assert "1 messages came more than once." in found.differences


def test_one_that_nobody_told_of_is_found(made):
    ids, contents, events, folder = made
    del events[ids[0]]
    assert verdict(shelf(folder, *contents), events).differences == (
        "1 messages are at the sink without a `sent` event.",
    )


def test_an_unsealed_event_and_a_shared_leaf_are_found(made):
    ids, contents, events, folder = made
    place = shelf(folder, *contents)
    assert verdict(place, events, {events[ids[0]], events[ids[1]]}).differences == (
        "1 `sent` events are in no sealed batch.",
    )
    events[ids[0]] = events[ids[1]]
    assert "1 `sent` events share a leaf hash." in verdict(place, events).differences


def test_the_ledgers_own_fault_is_told(made):
    ids, contents, events, folder = made
    assert not verdict(shelf(folder, *contents), events, wrong=["The ledger's batch at leaf 7 is not so."]).equal


def test_a_batch_is_read_as_its_leaf_says():
    hashes = [bytes([n]) * 32 for n in range(5)]

    class Rows:
        def __init__(self, root):
            self.root = root

        def execute(self, _query):
            return [(4, 5, b"".join(hashes), json.dumps({"root": self.root}))]

    good = check.root(hashes).hex()
    assert check.sealed(Rows(good)) == (set(hashes), [])
    assert check.sealed(Rows("00" * 32))[1] == ["The ledger's batch at leaf 4 is not what its leaf says."]


def test_a_sink_that_holds_nothing_is_not_equal_to_events(made):
    ids, contents, events, folder = made
    shutil.rmtree(folder)
    folder.mkdir()
    assert check.compare(check.Arrived(Counter(), Counter()), events, set(), []).at_sink == 0
    assert not verdict(shelf(folder), events).equal
