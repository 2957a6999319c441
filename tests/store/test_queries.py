"""Every named query of the store is PREPAREd against the migrated database, as the role that runs it."""

import re

import pytest

from troth.store import queries

ALL = [(file, name, text.decode()) for file in queries.files() for name, text in queries.load(file).items()]


@pytest.mark.parametrize(("file", "name", "text"), ALL, ids=[f"{file}.{name}" for file, name, _ in ALL])
def test_prepares(store_role, file, name, text):
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)[bst]", text)))
    positional = re.sub(r"%\((\w+)\)[bst]", lambda found: f"${names.index(found[1]) + 1}", text).replace("%%", "%")
    result = store_role.pgconn.prepare(f"{file}_{name}".encode(), positional.encode())
    assert result.status == 1, result.error_message.decode()  # COMMAND_OK


@pytest.fixture(scope="module")
def store_role(pg_server, pg_template):
    import psycopg

    with psycopg.connect(**pg_server.conninfo("troth_flow", pg_template), autocommit=True) as connection:
        connection.execute("SET search_path = troth")
        yield connection


def test_a_file_that_names_a_query_twice_is_refused(tmp_path, monkeypatch):
    (tmp_path / "sql").mkdir()
    (tmp_path / "sql" / "twice.sql").write_text("-- name: one\nSELECT 1;\n-- name: one\nSELECT 2;\n")
    monkeypatch.setattr(queries.resources, "files", lambda _package: tmp_path)
    with pytest.raises(ValueError, match="names a query twice"):
        queries.load("twice")
