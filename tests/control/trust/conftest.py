"""A world for each test of claims: a clone of one that was built once."""

import dataclasses
import os
import shutil
import tempfile
from itertools import count
from pathlib import Path

import psycopg
import pytest
from tests.control.trust.serving import serve
from tests.control.trust.world import Names, World, build
from tests.support.postgres import Database, create

_numbers = count(1)


def _create(server, name, template):
    with psycopg.connect(**server.conninfo(), autocommit=True) as admin:
        create(admin, name, template)
        admin.execute(
            f"GRANT CONNECT ON DATABASE {name} TO troth_control, troth_flow, troth_ledger, troth_signin, troth_migrate"
        )


def _drop(server, name):
    with psycopg.connect(**server.conninfo(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def built(pg_server, pg_template):
    """The world that all others are clones of."""
    # another room that asks for it has its own
    name, folder = f"troth_claims_{os.getpid()}_{next(_numbers)}", Path(tempfile.mkdtemp(prefix="troth-claims-"))
    names = Names().start()
    _create(pg_server, name, pg_template)
    made = build(Database(pg_server, name), names, folder / "witness")
    web = f"{name}_web"  # a database that servers work on cannot be cloned
    _create(pg_server, web, name)
    folder.chmod(0o755)
    made.served = serve(Database(pg_server, web), made.operator.kms_path, folder / "web")
    yield made
    made.served.stop()
    names.stop()
    _drop(pg_server, web)
    _drop(pg_server, name)
    shutil.rmtree(folder)


@pytest.fixture
def world(pg_server, built, tmp_path):
    """A clone to break; its DNS is as it should be when the test ends."""
    name = f"{built.database.name}_{next(_numbers)}"
    _create(pg_server, name, built.database.name)
    witness = tmp_path / "witness"
    shutil.copy(built.witness, witness)
    yield dataclasses.replace(built, database=Database(pg_server, name), witness=witness)
    for firm in built.firms.values():
        built.names.publish(firm.name)
    built.served.behave()
    _drop(pg_server, name)


__all__ = ["World"]
