"""The matrix's cast, made once a test process."""

import os

import psycopg
import pytest
from tests.control.matrix import world
from tests.support.postgres import Database, create

from troth.control.roles import database_statements


@pytest.fixture(scope="session")
def cast(pg_server, pg_template, tmp_path_factory):
    name = f"troth_matrix_{os.getpid()}"
    with psycopg.connect(**pg_server.conninfo(), autocommit=True) as admin:
        create(admin, name, pg_template)
    database = Database(pg_server, name)
    with database.open() as admin:
        for statement in database_statements(name):
            admin.execute(statement)
    folder, made = tmp_path_factory.mktemp("matrix"), None
    try:
        made = world.make(database, folder)
        yield made
    finally:
        if made is not None:
            made.child.end()
        for connection in database.opened:
            connection.close()
        with psycopg.connect(**pg_server.conninfo(), autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
