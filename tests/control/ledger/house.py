"""A small house with a ledger for the tests of its verification: a firm made by governed changes, messages with events,
and the sequencer's turns on demand."""

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
from tests.support.firm import Firm, now

from troth.control.ledger import rows
from troth.control.ledger.verification import Asked, verify
from troth.flow.events import Happening, row
from troth.flow.evidence.sequencer import Keeper, Signer
from troth.flow.evidence.witness import Witness
from troth.keys import places
from troth.keys.ids import uuid7
from troth.rules.states import Kind

TOLD = (Kind.ACCEPTED, Kind.QUEUED, Kind.SENT)


@dataclass
class House:
    """`messages`: those told of, in order."""

    firm: Firm
    folder: Path
    signer: Signer = field(init=False)
    messages: list[UUID] = field(default_factory=list)

    def __post_init__(self) -> None:
        """As a platform's sequencer: the ledger's seed is the installation's own."""
        self.signer = Signer.of(UUID(int=7), self.firm.operator.secrets.ledger_seed)

    @property
    def database(self):
        return self.firm.operator.database

    @property
    def witness(self) -> Path:
        return self.folder / "witness"

    def tell(self, address: str = "zoe@example.org", kinds: tuple[Kind, ...] = TOLD, copies: int = 1) -> UUID:
        """A message to a person, and its events as the river tells them; its id (of the last)."""
        at = now()
        person = self.firm.people.get(address) or self.firm.person(address)
        wrapped = self.database.run("SELECT data_key FROM person WHERE id = %s", person)[0][0]
        key = self.firm.keys.person(wrapped, person)
        for _ in range(copies):
            message = uuid7(at)
            self.database.fill(
                "INSERT INTO message (id, email_id, tenant_id, person_id, blind_index, category_id, field, created_at,"
                " decision_ct, state, state_at) VALUES (%s,%s,%s,%s,%s,%s,1,%s,%s,5,%s)",
                message, uuid7(at), self.firm.tenant, person, bytes(32), self.firm.category, at,
                key.seal(b"{}", places.decision(message)), at,
            )  # fmt: skip
            told = [
                row(
                    Happening(message, self.firm.tenant, kind, "t", key, {"n": number}),
                    at + timedelta(milliseconds=number),
                )
                for number, kind in enumerate(kinds)
            ]
            self.insert(told)
            self.messages.append(message)
        return self.messages[-1]

    def insert(self, told) -> None:
        with psycopg.connect(**self.database.conninfo("troth_flow"), options="-c search_path=troth") as flow:
            with flow.cursor() as cursor:
                cursor.executemany(
                    "INSERT INTO event (message_id, kind, source_key, tenant_id, at, detail_ct, leaf_hash)"
                    " VALUES (%s,%s,%s,%s,%s,%s,%s)",
                    [(e.message_id, e.kind, e.source_key, e.tenant_id, e.at, e.detail_ct, e.leaf_hash) for e in told],
                )

    def seal(self) -> None:
        """One turn of the sequencer."""
        asyncio.run(self._seal())

    async def _seal(self) -> None:
        connection = await self.database.connect("sequencer", "troth_ledger")
        try:
            keeper = Keeper(self.signer, Witness(self.witness))
            await keeper.begin(connection)
            await keeper.turn(connection)
            await keeper.testify()
        finally:
            await connection.close()

    @contextmanager
    def ledger(self):
        with rows.connect(self.database.conninfo("troth_ledger"), "verify") as connection:
            yield connection

    @contextmanager
    def flow(self):
        with rows.connect(self.database.conninfo("troth_flow"), "verify") as connection:
            yield connection

    def verify(self, **asked):
        """As `troth verify` with the keyring."""
        with self.ledger() as connection, self.flow() as reader:
            return verify(connection, reader, Asked(open_tenant=self.firm.operator.keyring.tenant, **asked))

    def newest(self) -> str:
        return self.database.run("SELECT note FROM ledger_checkpoint ORDER BY size DESC LIMIT 1")[0][0]
