"""After the bench's river: the bench checks itself: what arrived, what the events tell, and what the ledger sealed.

Distinct DKIM-valid messages at the sink = messages with a `sent` event = such events whose leaf hash lies in a sealed
batch, one for one by the message's id; and every batch's hashes give the root that its sealing leaf names.
"""

import json
import re
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from itertools import batched, islice
from pathlib import Path
from typing import Any
from uuid import UUID

import dkim
import psycopg
from tests.bench.dkim_check import Verifier
from tests.bench.sink import messages

from troth.rules.states import Kind

_ID = re.compile(rb"\r\nMessage-ID: <([0-9a-f]{32})@").search
_SAMPLE = 25  # messages that dkimpy verifies as well, of each run of the program
_SEALED_WITHIN = 20.0  # seconds


@dataclass(frozen=True, slots=True)
class Signer:
    """Whose signature is expected: the key's DER as DNS shows it."""

    public_der: bytes
    domain: str
    selector: str


@dataclass(frozen=True, slots=True)
class Arrived:
    """What lies at the sink: how often each message came, and what is wrong with those that are not valid."""

    ids: Counter[UUID]
    faults: Counter[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The counts that must be equal, and a sentence for each way in which they are not."""

    at_sink: int
    sent_events: int
    sealed_leaves: int
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return not self.differences


def arrived(folder: Path, signer: Signer) -> Arrived:
    """Every message of the sink verified, on all cores."""
    ids: Counter[UUID] = Counter()
    faults: Counter[str] = Counter()
    with ProcessPoolExecutor(initializer=_begin, initargs=(signer,)) as pool:
        for found in pool.map(_look, batched(messages(folder), 500)):
            for message, fault in found:
                if fault is None:
                    ids[UUID(hex=message)] += 1
                else:
                    faults[fault] += 1
    faults.update(_second_opinion(folder, signer))
    return Arrived(ids, faults)


_verifier: Verifier


def _begin(signer: Signer) -> None:
    global _verifier  # one a process
    _verifier = Verifier(signer.public_der, signer.domain, signer.selector)


def _look(contents: tuple[bytes, ...]) -> list[tuple[str, str | None]]:
    return [_one(content) for content in contents]


def _one(content: bytes) -> tuple[str, str | None]:
    named = _ID(content)
    fault = _verifier.fault(content)
    return (named[1].decode() if named else "", fault or (None if named else "no Message-ID of ours"))


def _second_opinion(folder: Path, signer: Signer) -> Counter[str]:
    """A sample through dkimpy, which must say the same."""
    import base64

    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(signer.public_der)
    judge, wrong = Verifier(signer.public_der, signer.domain, signer.selector), 0
    for content in islice(messages(folder), _SAMPLE):
        theirs = dkim.verify(content, dnsfunc=lambda *_a, **_k: record)
        wrong += theirs != (judge.fault(content) is None)
    return Counter({"dkimpy and our reader disagree": wrong}) if wrong else Counter()


def told(connection: psycopg.Connection[Any]) -> dict[UUID, bytes]:
    """The leaf hash of each message's `sent` event."""
    rows = connection.execute("SELECT message_id, leaf_hash FROM event WHERE kind = %s", (int(Kind.SENT),))
    return {message: bytes(leaf) for message, leaf in rows}


def sealed(connection: psycopg.Connection[Any]) -> tuple[set[bytes], list[str]]:
    """The event hashes of all sealed batches; and what does not add up in a batch."""
    hashes: set[bytes] = set()
    wrong: list[str] = []
    rows = connection.execute(
        "SELECT b.index, b.events, b.hashes, l.leaf FROM ledger_batch b JOIN ledger_leaf l USING (log_id, index)"
    )
    for index, events, joined, leaf in rows:
        ours = [joined[at : at + 32] for at in range(0, len(joined), 32)]
        if len(ours) != events or json.loads(leaf)["root"] != root(ours).hex():
            wrong.append(f"The ledger's batch at leaf {index} is not what its leaf says.")
        hashes.update(ours)
    return hashes, wrong


def root(leaves: list[bytes]) -> bytes:
    """The Merkle tree hash of RFC 9162 2.1.1, of leaves that are hashed already."""
    if not leaves:
        return sha256().digest()
    while len(leaves) > 1:
        pairs = [sha256(b"\x01" + a + b).digest() for a, b in zip(leaves[::2], leaves[1::2], strict=False)]
        leaves = pairs + leaves[len(pairs) * 2 :]
    return leaves[0]


def await_sealed(connection: psycopg.Connection[Any]) -> None:
    """Until nothing waits in the spool or for the sequencer; the check then says what is missing, if anything is."""
    until = time.monotonic() + _SEALED_WITHIN
    query = "SELECT (SELECT count(*) FROM spool) + (SELECT count(*) FROM event_pending)"
    while time.monotonic() < until:
        row = connection.execute(query).fetchone()
        if row is None or not row[0]:
            return
        time.sleep(0.2)


def compare(here: Arrived, events: dict[UUID, bytes], hashes: set[bytes], wrong: list[str]) -> Verdict:
    """One for one."""
    in_ledger = {message for message, leaf in events.items() if leaf in hashes}
    twice = sum(1 for times in here.ids.values() if times > 1)
    found = [f"{times} messages at the sink are not valid: {fault}." for fault, times in here.faults.items()]
    found += wrong
    for count, sentence in (
        (len(events.keys() - here.ids.keys()), "{} messages have a `sent` event and did not reach the sink."),
        (len(here.ids.keys() - events.keys()), "{} messages are at the sink without a `sent` event."),
        (len(events.keys() - in_ledger), "{} `sent` events are in no sealed batch."),
        (twice, "{} messages came more than once."),
        (len(events) - len(set(events.values())), "{} `sent` events share a leaf hash."),
    ):
        if count:
            found.append(sentence.format(count))
    return Verdict(len(here.ids), len(events), len(in_ledger), tuple(found))
