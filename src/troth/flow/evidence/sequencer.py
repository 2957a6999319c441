"""Evidence, the sequencer: moves what waits into the tree every few seconds and signs a checkpoint over it.

One process leads (an advisory lock); others stand by. A turn is one transaction: leaves, nodes, counts, checkpoint,
and the emptied line. It holds no state that the database does not: after any trouble it reads its place anew.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import structlog

from troth.flow.evidence.sealing import seal
from troth.flow.evidence.witness import RolledBack, Witness
from troth.ledger.checkpoint import parse, sign, vkey
from troth.ledger.tree import Tree, frontier
from troth.store import ledger as store
from troth.store.connection import Connection, Unavailable

log = structlog.get_logger("troth.sequencer")

LOG_ID = 1
MOST = 1000  # rows of either line in one turn
_WITNESS_EVERY = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Signer:
    """The ledger's name and Ed25519 seed."""

    origin: str
    seed: bytes

    @classmethod
    def of(cls, installation: UUID, seed: bytes) -> "Signer":
        return cls(f"troth/{installation}/{LOG_ID}", seed)

    @property
    def vkey(self) -> str:
        return vkey(self.origin, self.seed)


class KeyDiffers(Exception):  # noqa: N818 - the name says what is wrong, as a sentence would
    """The ledger was begun under another key than this installation's. Permanent."""

    temporary = False


async def run_sequencer(
    connect: Callable[[str], Awaitable[Connection]],
    signer: Signer,
    witness: Witness,
    stop: asyncio.Event,
    *,
    every: float = 3.0,
) -> None:
    """Lead or stand by until `stop`, a turn every `every` seconds; a lost database is waited for.

    Raise RolledBack or KeyDiffers: it signs nothing that contradicts what it signed before.
    """
    while not stop.is_set():
        try:
            await _lead(connect, Keeper(signer, witness), stop, every)
        except Unavailable as away:
            log.warning("the database is away", reason=str(away))
        await _pause(stop, min(every, 1.0))


async def _lead(
    connect: Callable[[str], Awaitable[Connection]], keeper: "Keeper", stop: asyncio.Event, every: float
) -> None:
    connection = await connect("sequencer")
    try:
        if not await store.lead(connection):
            return
        await keeper.begin(connection)
        while not stop.is_set():
            if not await keeper.turn(connection):
                await _pause(stop, every)
        await keeper.testify()
    finally:
        await connection.close()


class Keeper:
    """One leader's place in the tree."""

    def __init__(self, signer: Signer, witness: Witness) -> None:
        self._signer = signer
        self._witness = witness
        self._tree = Tree()
        self._unseen: str | None = None  # the newest note that the witness does not have
        self._testified = float("-inf")
        self._begun = False  # the first checkpoint is there, and the key with it

    async def begin(self, connection: Connection) -> None:
        """Read the place; refuse a ledger of another key, or one older than the witness knows."""
        key = await store.key(connection)
        self._begun = key is not None
        if key is not None and key != self._signer.vkey:
            raise KeyDiffers("the ledger was begun under another key: this is not the keyring that belongs to it")
        await self._compare(connection)
        await self._resume(connection)
        self._unseen = await store.checkpoint(connection)

    async def turn(self, connection: Connection) -> bool:
        """Take what waits into the tree; True when there may be more waiting."""
        try:
            more = await self._extend(connection)
        except BaseException:
            with suppress(*Unavailable):
                await self._resume(connection)  # nothing of it was committed: back to where the database is
            raise
        if asyncio.get_running_loop().time() - self._testified >= _WITNESS_EVERY:
            await self.testify()
        return more

    async def testify(self) -> None:
        """Hand the newest checkpoint to the witness; a file that cannot be written is tried again."""
        if self._unseen is None:
            return
        try:
            await asyncio.to_thread(self._witness.add, self._unseen)
        except OSError as trouble:
            log.exception("the witness file could not be written", reason=str(trouble))
        else:
            self._unseen = None
            self._testified = asyncio.get_running_loop().time()

    async def _extend(self, connection: Connection) -> bool:
        async with connection.transaction():
            entries = await store.entries(connection, MOST)
            told = await store.events(connection, MOST)
            if not entries and not told:
                return False
            now = await store.now(connection)
            sealed = seal(self._tree, entries, told, now)
            root = self._tree.root()
            note = sign(self._signer.seed, self._signer.origin, self._tree.size, root, now)
            await store.add(connection, sealed.leaves, sealed.nodes, sealed.batch, sealed.tally)
            if not self._begun:
                await store.add_key(connection, self._signer.vkey, now)
            await store.add_checkpoint(connection, self._tree.size, root, now, note)
            await store.drop(connection, [e.id for e in entries], [t.id for t in told])
        self._unseen, self._begun = note, True
        return len(entries) == MOST or len(told) == MOST

    async def _resume(self, connection: Connection) -> None:
        size = await store.size(connection)
        self._tree = Tree.resume(size, await store.nodes(connection, list(frontier(size))))

    async def _compare(self, connection: Connection) -> None:
        seen = await asyncio.to_thread(self._witness.newest, self._signer.vkey)
        if seen is None:
            return
        note = await store.checkpoint(connection, seen.size)
        if note is None or parse(note, self._signer.vkey).root != seen.root:
            await store.behind(connection, seen.size)  # nothing is sent by a database that has forgotten
            raise RolledBack(
                f"the witness file holds a checkpoint of {seen.size} leaves that this ledger does not: the database "
                "was rolled back or changed. All sending is stopped. After a restore from a backup, move the witness "
                "file aside and keep it; then two people release the stop."
            )


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
