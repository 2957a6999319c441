"""The doctor on set-ups that are really broken: port, key file, disk, DNS, relay, settings; each named, with its fix."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time

import pytest
from tests.support.clinic import BOUNCES, DOMAIN, SECRET, free_port, sick, wrong

from troth.cli.demo.tls import make_local_certificate
from troth.outside.kms import LocalKms


def test_a_set_up_that_is_well_is_said_to_be_so(well):
    found = well.doctor()
    assert not sick(found), found
    assert {state for lines in found.values() for state, _, _ in lines} <= {"ok", "cannot tell"}
    assert well.relay.mail == 0
    lines = well.run("doctor")
    assert lines.stdout.splitlines()[-1] == "Nothing is wrong."


# ---- port


@pytest.mark.parametrize("setting", ["http_port", "web_port"])
@pytest.mark.parametrize("how", ["here", "everywhere", "shared", "v6", "not listening"])
def test_a_port_that_another_program_has(well, setting, how):
    port = well.settings[setting]
    family = socket.AF_INET6 if how == "v6" else socket.AF_INET
    with socket.socket(family) as other:
        if how == "shared":
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(({"here": "127.0.0.1", "v6": "::", "not listening": "127.0.0.1"}.get(how, "0.0.0.0"), port))
        if how != "not listening":
            other.listen()
        found = well.doctor()
        assert sick(found) == {"port"}
        said = wrong(found, "port")
        assert f"{setting} {port}" in said
        assert f"process {os.getpid()}" in said or how == "not listening"


def test_ports_that_cannot_be_had(well):
    well.write(web_port=well.door)
    assert "http_port and web_port are both" in wrong(well.doctor(), "port")
    well.write(http_host="192.0.2.1")
    assert "http_host 192.0.2.1 cannot be listened on" in wrong(well.doctor(), "port")


# ---- key file


@pytest.fixture
def key(well):
    path = well.home / "var" / "keys" / "master"
    kept = path.read_bytes()
    yield path
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    path.write_bytes(kept)
    path.chmod(0o600)
    path.parent.chmod(0o700)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o666])
def test_a_key_file_that_others_can_read(well, key, mode):
    key.chmod(mode)
    found = well.doctor()
    assert sick(found) == {"key file"}
    assert f"mode {mode:04o}" in wrong(found, "key file")
    assert f"`chmod 600 {key}`".lower() in wrong(found, "key file").lower()


def test_a_key_file_that_is_gone_or_another(well, key):
    kept = key.read_bytes()
    key.unlink()
    assert "is missing" in wrong(well.doctor(), "key file")
    assert "Copy the right key file back" in wrong(well.doctor(), "key file")
    LocalKms.create(key)
    assert "does not open this installation's secrets" in wrong(well.doctor(), "key file")
    key.write_text("not a key")
    assert "is not a key file" in wrong(well.doctor(), "key file")
    key.write_bytes(kept)
    key.parent.chmod(0o777)
    assert f"chmod 700 {key.parent}" in wrong(well.doctor(), "key file")
    key.parent.chmod(0o700)
    key.unlink()
    key.mkdir()
    assert "is not a regular file" in wrong(well.doctor(), "key file")


@pytest.mark.needs_root
def test_a_key_file_of_another_user(well, key):
    os.chown(key, 4242, 4242)
    assert "belongs to user 4242" in wrong(well.doctor(), "key file")


# ---- disk


@contextlib.contextmanager
def tmpfs(folder, options):
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
        folder.rmdir()


def elsewhere(well, folder):
    """An installation of which only var_dir counts: before `troth init`."""
    well.write(var_dir=str(folder))
    return well.doctor()


@pytest.mark.needs_root
def test_a_disk_that_is_full(well):
    with tmpfs(well.home / "small", "size=1m") as small:
        (small / "fill").write_bytes(b"\0" * (1 << 20))
        found = elsewhere(well, small)
        assert sick(found) == {"disk"}
        assert "nearly full: 0 MB of 1 MB free" in wrong(found, "disk")
        assert "cannot be written: No space left on device" in wrong(found, "disk")


@pytest.mark.needs_root
def test_a_disk_that_is_read_only_or_out_of_inodes(well):
    with tmpfs(well.home / "closed", "size=2g,ro") as closed:
        assert "Read-only file system" in wrong(elsewhere(well, closed), "disk")
    with tmpfs(well.home / "many", "size=2g,nr_inodes=10") as many:
        for n in range(9):
            (many / str(n)).touch()
        assert "inodes" in wrong(elsewhere(well, many), "disk")


@pytest.mark.needs_root
def test_a_database_whose_disk_has_run_full(well):
    """The whole installation on a disk of its own, which then fills up."""
    with tmpfs(well.home / "disk", "size=400m,mode=755") as disk:
        shutil.copytree(well.home / "var", disk / "var", symlinks=True)
        subprocess.run(
            ["chown", "-R", "--reference", well.home / "var/postgres/cluster", disk / "var/postgres/cluster"],
            check=True,
        )
        well.write(var_dir=str(disk / "var"))
        with contextlib.suppress(OSError), (disk / "fill").open("wb") as fill:
            while True:
                fill.write(b"\0" * (1 << 20))
                fill.flush()
        found = well.doctor()
        assert "disk" in sick(found)
        assert "nearly full" in wrong(found, "disk")


def test_a_var_dir_that_is_no_folder(well):
    (well.home / "file").write_text("")
    found = elsewhere(well, well.home / "file")
    assert "is not a folder" in wrong(found, "disk")


# ---- DNS


def test_a_resolver_that_does_not_answer(well):
    well.write(dns_resolvers=[f"127.0.0.1:{free_port()}"])
    found = well.doctor()
    assert sick(found) == {"DNS resolver", "domains", "return path"}
    assert "does not answer" in wrong(found, "DNS resolver")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        well.write(dns_resolvers=[f"127.0.0.1:{silent.getsockname()[1]}"])
        assert "no answer within" in wrong(well.doctor(), "DNS resolver")
    well.write(dns_resolvers=["no-such-host.invalid"])
    assert "does not answer" in wrong(well.doctor(), "DNS resolver")


def test_a_resolver_that_knows_nothing_of_our_names(well):
    well.names.records = {"other.example": {"TXT": ["x"]}}
    well.names.write()
    found = well.doctor()
    assert {"domains", "return path"} <= sick(found)
    assert DOMAIN in wrong(found, "domains")


def test_a_resolver_that_fails(well, tmp_path):
    """SERVFAIL to everything, from a server of the test's own."""
    import threading

    import dns.message
    import dns.rcode

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))

        def fail():
            while True:
                try:
                    data, peer = server.recvfrom(4096)
                except OSError:
                    return
                answer = dns.message.make_response(dns.message.from_wire(data))
                answer.set_rcode(dns.rcode.SERVFAIL)
                server.sendto(answer.to_wire(), peer)

        threading.Thread(target=fail, daemon=True).start()
        well.write(dns_resolvers=[f"127.0.0.1:{server.getsockname()[1]}"])
        found = well.doctor()
        assert "answers SERVFAIL" in wrong(found, "DNS resolver")
        assert "answer with an error (SERVFAIL)" in wrong(found, "domains")


@pytest.mark.parametrize(
    ("name", "kind", "value", "says"),
    [
        (DOMAIN, "TXT", "v=spf1 -all", "spf."),
        (DOMAIN, "TXT", None, "spf.missing"),
        (f"_dmarc.{DOMAIN}", "TXT", "v=DMARC1; p=none", "dmarc."),
        (f"troth1._domainkey.{DOMAIN}", "TXT", None, "dkim."),
        (f"troth1._domainkey.{DOMAIN}", "TXT", "v=DKIM1; k=rsa; p=", "dkim."),
    ],
)
def test_a_sending_domain_whose_records_are_wrong(well, name, kind, value, says):
    well.names.publish(name, kind, *([value] if value else []))
    found = well.doctor()
    assert sick(found) == {"domains"}
    assert DOMAIN in wrong(found, "domains")
    assert says in wrong(found, "domains")


def test_a_return_path_that_nothing_comes_back_by(well):
    well.names.publish(BOUNCES, "MX")
    assert "has no MX" in wrong(well.doctor(), "return path")
    well.names.publish(BOUNCES, "MX", "0 .")
    assert "takes no mail" in wrong(well.doctor(), "return path")
    well.names.publish(BOUNCES, "MX", "10 here.example.")
    well.names.publish(BOUNCES, "TXT", "v=spf1 -all")
    assert "spf." in wrong(well.doctor(), "return path")


# ---- relay


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("silent", "GREETING"),
        ("drip", "GREETING"),
        ("refuses", "554 go away"),
        ("no tls", "STARTTLS"),
        ("hangs in tls", "TLS"),
    ],
)
def test_a_relay_that_will_not_talk(well, fault, says):
    well.relay.fault = fault
    found = well.doctor()
    assert sick(found) == {"relay"}
    assert says in wrong(found, "relay")


def test_a_relay_that_is_not_there(well):
    well.write(relay_port=free_port())
    assert "Connection refused" in wrong(well.doctor(), "relay")
    well.write(relay_host="no-such-relay.invalid")
    assert "not found in the DNS" in wrong(well.doctor(), "relay")


def test_a_relay_whose_certificate_is_not_valid(well):
    well.relay.certificate = make_local_certificate(well.home / "tls2", ["other.example"])
    well.write(relay_ca_file=str(well.relay.certificate.ca))
    said = wrong(well.doctor(), "relay")
    assert "not valid for localhost" in said
    assert "relay_server_name" in said
    well.write()
    assert "relay_ca_file" in wrong(well.doctor(), "relay")
    from datetime import UTC, datetime, timedelta

    long_ago = datetime.now(UTC) - timedelta(days=500)
    well.relay.certificate = make_local_certificate(
        well.home / "tls3", ["localhost"], life=timedelta(days=400), now=long_ago
    )
    well.write(relay_ca_file=str(well.relay.certificate.ca))
    assert "expired" in wrong(well.doctor(), "relay")
    well.write(relay_ca_file=str(well.home / "no-such.pem"))
    assert "relay_ca_file" in wrong(well.doctor(), "relay")


def test_a_relay_that_refuses_us(well):
    well.relay.password = "another"
    found = well.doctor()
    assert sick(found) == {"relay"}
    assert "AUTH" in wrong(found, "relay")
    assert "relay_password" in wrong(found, "relay")
    assert well.relay.mail == 0


# ---- settings


def test_settings_that_are_wrong_are_all_named_and_hide_nothing_else(well):
    well.write(http_prot=1, relay_tls="tls", relay_host=None)
    found = well.doctor(TROTH_NO_SUCH="x", TROTH_LEASE_SECONDS="0")
    said = wrong(found, "settings")
    for name in ("http_prot", "relay_tls", "TROTH_LEASE_SECONDS", "relay_host is needed"):
        assert name in said, said
    assert found["key file"][0][0] == "ok"
    (well.home / "troth.toml").write_text("no = [toml")
    assert "is not TOML" in wrong(well.doctor(), "settings")
    well.write()
    (well.home / "troth.toml").chmod(0o644)
    said = wrong(well.doctor(), "settings")
    assert "relay_password" in said
    assert SECRET not in said


def test_before_init_it_works_and_says_what_comes_first(tmp_path, clinic):
    empty = tmp_path / "empty"
    empty.mkdir()
    began = time.monotonic()
    home, clinic.home = clinic.home, empty
    try:
        ports = {f"TROTH_{what}_PORT": str(free_port()) for what in ("HTTP", "WEB", "METRICS")}
        found = clinic.doctor(**ports)
    finally:
        clinic.home = home
    assert time.monotonic() - began < 15
    assert sick(found) == {"settings"}
    assert json.dumps(found).count("troth init") >= 3
