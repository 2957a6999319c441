"""The doctor on the public address's certificate, our own files for TLS, and the last backup."""

import json
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest
from tests.support.clinic import free_port, sick, wrong

from troth.cli.demo.tls import make_local_certificate


def showing(made):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate, made.key)
    return context


@pytest.fixture
def pages(well):
    """A server with TLS at the public address; `show` changes its certificate."""
    import socket

    listening = socket.create_server(("127.0.0.1", 0))
    held = {}

    def serve():
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            with client:
                try:
                    held["context"].wrap_socket(client, server_side=True).close()
                except OSError:
                    continue

    threading.Thread(target=serve, daemon=True).start()
    yield listening.getsockname()[1], held
    listening.close()


def test_a_public_certificate_that_nobody_vouches_for_or_that_ends_soon(well, pages, tmp_path):
    port, held = pages
    made = make_local_certificate(tmp_path / "a", ["localhost"])
    held["context"] = showing(made)
    files = {"tls_cert_file": str(made.certificate), "tls_key_file": str(made.key)}
    well.write(public_url=f"https://localhost:{port}")
    assert "not valid" in wrong(well.doctor(), "certificate")
    well.write(public_url=f"https://localhost:{port}", **files)
    assert [state for state, _, _ in well.doctor()["certificate"]] == ["ok"]
    made.key.chmod(0o644)
    assert "open to others" in wrong(well.doctor(), "certificate")
    made.key.chmod(0o600)
    made.key.write_text("not a key")
    assert "cannot be used" in wrong(well.doctor(), "certificate")
    long_ago = datetime.now(UTC) - timedelta(days=395)
    soon = make_local_certificate(tmp_path / "b", ["localhost"], now=long_ago)
    held["context"] = showing(soon)
    well.write(public_url=f"https://localhost:{port}", tls_cert_file=str(soon.certificate), tls_key_file=str(soon.key))
    assert "ends in 1 days" in wrong(well.doctor(), "certificate")


def test_a_public_address_that_cannot_be_reached_from_here(well):
    well.write(public_url=f"https://localhost:{free_port()}")
    found = well.doctor()
    assert not sick(found)
    assert found["certificate"][0][0] == "cannot tell"


def test_the_last_backup(well):
    assert well.doctor()["backup"][0][0] == "cannot tell"
    done = well.run("backup", str(well.home / "one.backup"))
    assert done.returncode == 0, done.stderr
    found = well.doctor()
    assert found["backup"][0][0] == "ok", found
    note = well.home / "var" / "backup.json"
    kept = json.loads(note.read_text())
    note.write_text(json.dumps(kept | {"at": "2020-01-01 00:00:00+00"}))
    assert "days old" in wrong(well.doctor(), "backup")
    note.write_text("half a fi")
    assert well.doctor()["backup"][0][0] == "cannot tell"
    note.unlink()
