"""ENC-3 on a PostgreSQL that speaks TLS and asks for certificates: what its door lets in is seen, whoever opened it."""

import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.pages import free_port

from troth.cli import database as upgrades
from troth.control.audit import scope
from troth.control.trust.controls import enc_3
from troth.control.trust.look import Look, Outside
from troth.outside.dns import Resolver

pytestmark = pytest.mark.slow
BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
SHUT = "local all all trust\nhostssl all all 127.0.0.1/32 cert\n"


def certificate(folder, name, signer=None):
    """A key and its certificate, signed by `signer` or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, by = (signer[0].subject, signer[1]) if signer else (subject, key)
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=9))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .sign(by, hashes.SHA256())
    )  # fmt: skip
    form = serialization.Encoding.PEM
    (folder / f"{name}.pem").write_bytes(made.public_bytes(form))
    plain = key.private_bytes(form, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / f"{name}.key").write_bytes(plain)
    (folder / f"{name}.key").chmod(0o600)
    return made, key


class Server:
    """Debian's PostgreSQL, as its own user, with a door that a test may rehang."""

    def __init__(self, folder):
        self.folder, self.data, self.port = folder, folder / "data", free_port()
        folder.chmod(0o755)
        shutil.chown(folder, "postgres")
        self._run("initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "--no-sync")
        authority = certificate(folder, "authority")
        for name in ("localhost", "troth_control"):
            certificate(folder, name, authority)
        for each in folder.glob("localhost.*"):
            shutil.chown(each, "postgres")
        lines = {"ssl": "on", "ssl_cert_file": f"'{folder}/localhost.pem'", "ssl_key_file": f"'{folder}/localhost.key'",
                 "ssl_ca_file": f"'{folder}/authority.pem'", "unix_socket_directories": f"'{folder}'", "fsync": "off",
                 "listen_addresses": "'127.0.0.1'", "port": self.port}  # fmt: skip
        with (self.data / "postgresql.conf").open("a") as config:
            config.writelines(f"{name} = {value}\n" for name, value in lines.items())
        (self.data / "pg_hba.conf").write_text(SHUT)
        self._run("pg_ctl", "-D", self.data, "-l", folder / "log", "-w", "start")

    def _run(self, program, *given):
        argv = [str(BINARIES[-1] / program), *map(str, given)]
        subprocess.run(argv, check=True, user="postgres", group="postgres", cwd="/", capture_output=True)

    def near(self, user, **more):
        return {"host": str(self.folder), "port": self.port, "user": user, "dbname": "troth", **more}

    def far(self, **more):
        return {"host": "localhost", "hostaddr": "127.0.0.1", "port": self.port, "user": "troth_control", "dbname": "troth",
                "sslmode": "verify-full", "sslrootcert": str(self.folder / "authority.pem"),
                "sslcert": str(self.folder / "troth_control.pem"), "sslkey": str(self.folder / "troth_control.key"),
                **more}  # fmt: skip

    def door(self, lines=SHUT):
        (self.data / "pg_hba.conf").write_text(lines)
        with psycopg.connect(**self.near("postgres"), autocommit=True) as admin:
            admin.execute("SELECT pg_reload_conf()")
        time.sleep(0.5)

    def stop(self):
        self._run("pg_ctl", "-D", self.data, "-m", "immediate", "stop")


@pytest.fixture(scope="module")
def server():
    if not BINARIES:
        pytest.skip("this machine has no PostgreSQL of Debian's, and the embedded one speaks no TLS")
    folder = Path(tempfile.mkdtemp(prefix="troth-tls-"))
    made = Server(folder)
    upgrades.prepare(made.near("postgres", dbname="postgres"), made.near("troth_migrate"))
    yield made
    made.stop()
    shutil.rmtree(folder)


def found(conninfo):
    with scope.connect(conninfo, "claims test") as connection:
        outside = Outside(Resolver([("127.0.0.1", 1)], timeout=1.0), None)
        look = Look(connection, None, None, None, outside, datetime.now(UTC), time.monotonic() + 60, uuid4())
        return enc_3.check(look, None)


def test_where_both_show_a_certificate_it_holds(server):
    seen = found(server.far())
    assert (str(seen.state), seen.why) == ("holds", ())
    assert seen.seen == {"tls": "TLSv1.3", "believes": "verify-full", "attempts_refused": 10}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("hostssl all all 127.0.0.1/32 trust", "troth_flow is let in without a certificate"),
        ("host all all 127.0.0.1/32 trust", "troth_ledger is let in without TLS"),
        ("hostssl all all 127.0.0.1/32 scram-sha-256", "troth_migrate is asked for a password without a certificate"),
        ("host all troth_signin 127.0.0.1/32 trust", "troth_signin is let in without TLS"),
    ],
)
def test_a_door_that_somebody_opened_is_seen_and_its_mending_too(server, lines, says):
    control = "hostssl all troth_control 127.0.0.1/32 cert\n"
    server.door(f"local all all trust\n{control}{lines}\n{SHUT}")
    seen = found(server.far())
    assert (str(seen.state), says in seen.why) == ("fails", True), seen.why
    server.door()
    assert str(found(server.far()).state) == "holds"


def test_a_program_that_believes_any_certificate_fails(server):
    seen = found(server.far(sslmode="require"))
    assert (str(seen.state), seen.why) == ("fails", ("this program believes whatever certificate the database shows",))


def test_a_socket_of_the_same_machine_is_no_data(server):
    seen = found(server.near("troth_control"))
    assert str(seen.state) == "no data yet"
    assert "by a socket of the machine" in seen.why[0]


def test_a_try_that_says_nothing_is_no_data(server, monkeypatch):
    monkeypatch.setattr(enc_3.database_probe, "tried", lambda *_: (False, ""))
    seen = found(server.far())
    assert str(seen.state) == "no data yet"
    assert "troth_control could not be tried without TLS" in seen.why
