"""How the change engine's sequences ask the database: each step a savepoint, as one of its roles."""

import hashlib
import os
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import psycopg
from tests.control.approvals.cast import Somebody, World
from tests.control.approvals.model import Tally

IDLE = timedelta(minutes=29)


class Asking:
    """`clock`: how far the database's is moved; `secrets`: of sessions by name, and when each was opened."""

    world: World
    tally: Tally
    sql: psycopg.Connection
    clock: timedelta
    secrets: dict[str, tuple[bytes, timedelta]]
    left: set[UUID]

    def ask(self, role: str, query: str, *values: object, tenant: UUID | None = None) -> object:
        """The first value of the answer; a refusal undoes the step alone."""
        return self.ask_all(role, [query], values or None, tenant)

    def ask_all(self, role: str, queries: Sequence[str], values: object, tenant: UUID | None) -> object:
        self.tally.steps += 1
        how = "SET LOCAL ROLE troth_owner" if role == "owner" else f"SET LOCAL SESSION AUTHORIZATION {role}"
        self.sql.execute(f"SAVEPOINT step; {how}; SET LOCAL troth.tenant = '{tenant or ''}'")
        try:
            for query in queries:
                cursor = self.sql.execute(query, values if "%" in query else None)
        except psycopg.Error:
            self.sql.execute("ROLLBACK TO step; RELEASE step")
            raise
        found = cursor.fetchone() if cursor.description else None
        self.sql.execute("RESET ROLE; RESET SESSION AUTHORIZATION; RELEASE step")
        return found[0] if found else None

    def secret(self, one: Somebody) -> bytes:
        """Of an open session; of a made-up one for somebody who has no access any more."""
        there = self.secrets.get(one.name)
        if there is None or self.clock - there[1] > IDLE:
            secret = os.urandom(32)
            there = self.secrets[one.name] = (secret, self.clock)
            if one.account not in self.left:
                query = "SELECT session_id FROM page_session_open_v1(%s, %s, '{password}', %s, NULL, NULL, NULL)"
                self.ask("troth_signin", query, one.account, hashlib.sha256(secret).digest(), one.second)
        return there[0]

    def acts(self, what: str, expected: bool, query: str, *values: object, tenant: UUID | None = None) -> object:
        """A step of role troth_control that the model expects to be done, or refused."""
        found, state = None, ""
        try:
            found = self.ask("troth_control", query, *values, tenant=tenant)
        except psycopg.Error as refused:
            state, words = refused.sqlstate, str(refused)
        if state:
            assert not expected, f"{what}: {words}"
            assert state in {"42501", "28000", "22023", "55000", "23505"}, words
        else:
            assert expected, f"{what} was done, and must be refused"
        self.tally.done[f"{what} refused" if state else what] += 1
        return found
