"""A whole installation to break: made by `troth init` at a terminal, with a DNS server and a relay of its own."""

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest
from tests.support.terminal import troth

from troth.cli.demo.tls import make_local_certificate

SECRET = "relay-secret-word"
DOMAIN = "mail.lettings.troth.example"
BOUNCES = "bounces.troth.example"
SPF = "include:spf.relay.example"
OWNERS = {
    "Name of the first owner": "Ada One", "Mail address of Ada One": "ada@example.com",
    "Name of the second owner": "Ben Two", "Mail address of Ben Two": "ben@example.com",
    "Passphrase of": "staple orchard lantern", "The same once more": "staple orchard lantern",
    "embedded one": "", "here and signs it": "y", "first programme now": "y", "Its name (": "Lettings", "Its code": "",
    "Its promise": "property", "Its domain": "lettings.troth.example", "approve exactly this": "y",
    "Name in that mail": "", "Time zone": "Europe/London", "Postal address": "1 Pledge Street", "comes from": "",
}  # fmt: skip


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Relay:
    """A relay that takes STARTTLS and AUTH, or fails in the way that `fault` says; `mail` counts MAIL commands."""

    def __init__(self, certificate):
        self.fault, self.mail, self.password = None, 0, SECRET
        self.certificate = certificate
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._quietly, args=(client,), daemon=True).start()

    def _quietly(self, client):
        held = [client]
        try:
            self._talk(client, held)
        except OSError:
            pass
        finally:
            for one in held:
                one.close()

    def _talk(self, client, held):
        if self.fault == "silent":
            time.sleep(30)
        if self.fault == "drip":
            for sign in b"220 relay.example takes its time and never ends" * 9:
                client.sendall(bytes([sign]))
                time.sleep(0.4)
        client.sendall(b"554 go away\r\n" if self.fault == "refuses" else b"220 relay.example ESMTP\r\n")
        secure, buffer = False, b""
        while True:
            line, _, buffer = buffer.partition(b"\r\n") if b"\r\n" in buffer else (None, None, buffer)
            if line is None:
                came = client.recv(4096)
                if not came:
                    return
                buffer += came
                continue
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"EHLO":
                offers = [b"relay.example", *([] if secure or self.fault == "no tls" else [b"STARTTLS"]),
                          *([b"AUTH PLAIN LOGIN"] if secure else [])]  # fmt: skip
                client.sendall(
                    b"".join(b"250%s%s\r\n" % (b" " if n == len(offers) else b"-", o) for n, o in enumerate(offers, 1))
                )
            elif verb == b"STARTTLS":
                client.sendall(b"220 go\r\n")
                if self.fault == "hangs in tls":
                    time.sleep(30)
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate.certificate, self.certificate.key)
                client, secure, buffer = context.wrap_socket(client, server_side=True), True, b""
                held.append(client)
            elif verb == b"AUTH":
                import base64

                good = base64.b64decode(line.split()[-1]).endswith(b"\0" + self.password.encode())
                client.sendall(b"235 yes\r\n" if good else b"535 5.7.8 no\r\n")
            elif verb == b"QUIT":
                client.sendall(b"221 bye\r\n")
                return
            else:
                self.mail += verb == b"MAIL"
                client.sendall(b"250 fine\r\n")


class Names:
    """The demo's DNS server as a process of its own; `publish` writes its zone file."""

    def __init__(self, folder):
        self.file, self.records = folder / "zone.json", {}
        self.write()
        code = "import sys; from pathlib import Path; from troth.cli.demo.dns import serve; serve(Path(sys.argv[1]), 0)"
        self.process = subprocess.Popen([sys.executable, "-c", code, str(self.file)], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline().rsplit(" ", 1)[1])

    def publish(self, name, kind, *values):
        self.records.setdefault(name, {})[kind] = list(values)
        self.write()

    def write(self):
        beside = self.file.with_suffix(".new")
        beside.write_text(json.dumps(self.records))
        os.replace(beside, self.file)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


class Clinic:
    """One installation in a folder; `doctor` runs the command and reads its JSON."""

    def __init__(self, home, relay, names):
        self.home, self.relay, self.names = home, relay, names
        self.door, self.web = free_port(), free_port()
        self.settings = {
            "mode": "test", "http_port": self.door, "web_port": self.web, "metrics_port": free_port(), "worker_processes": 1, "door_processes": 1,
            "public_url": f"http://localhost:{self.web}", "relay_host": "localhost", "relay_port": relay.port,
            "relay_username": "us", "relay_password": SECRET, "relay_ca_file": str(relay.certificate.ca),
            "return_path_domain": BOUNCES, "spf_mechanism": SPF, "var_dir": "var",
            "dns_resolvers": [f"127.0.0.1:{names.port}"],
        }  # fmt: skip
        self.write()

    def write(self, **other):
        values = {name: value for name, value in {**self.settings, **other}.items() if value is not None}
        (self.home / "troth.toml").write_text(
            "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
        )
        (self.home / "troth.toml").chmod(0o600)

    def env(self, **settings):
        env = {
            name: value for name, value in os.environ.items() if not name.startswith("TROTH_") or name == "TROTH_PG_BIN"
        }
        return {**env, **settings}

    def run(self, *words, before=(), **settings):
        argv = [*before, sys.executable, "-m", "troth.cli", *words]
        done = subprocess.run(argv, cwd=self.home, env=self.env(**settings), capture_output=True, text=True, timeout=60)
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def doctor(self, before=(), **settings):
        """{check: [(state, what, fix), ...]}; never longer than 40 s, never a secret, and the status fits."""
        began = time.monotonic()
        done = self.run("doctor", "--json", before=before, **settings)
        assert time.monotonic() - began < 40  # its own bounds add up to 25 s; two cores are shared
        assert SECRET not in done.stdout + done.stderr
        assert done.stdout, done.stderr
        assert "the check itself failed" not in done.stdout, done.stdout
        told = json.loads(done.stdout)
        found = {}
        for each in told["findings"]:
            assert "\n" not in each["what"]
            found.setdefault(each["check"], []).append((each["state"], each["what"], each["fix"]))
        bad = any(state == "wrong" for lines in found.values() for state, _, _ in lines)
        assert told["ok"] is not bad
        assert done.returncode == (1 if bad else 0)
        assert all(fix for lines in found.values() for state, _, fix in lines if state == "wrong")
        return found

    def begin(self):
        terminal = troth(self.home, "init")
        assert terminal.converse(OWNERS) == 0, terminal.said
        for line in terminal.said.splitlines():
            name, found, text = line.partition(". IN TXT ")
            alias, is_alias, there = line.partition(". IN CNAME ")
            if found:
                self.names.publish(name, "TXT", "".join(text.strip('"').split('" "')))
            elif is_alias:
                self.names.publish(alias, "CNAME", there)
        self.names.publish(BOUNCES, "MX", "10 here.example.")
        self.names.publish(BOUNCES, "TXT", f"v=spf1 {SPF} -all")

    @contextlib.contextmanager
    def up(self):
        process = subprocess.Popen([sys.executable, "-m", "troth.cli", "up"], cwd=self.home, env=self.env(),
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # fmt: skip
        said = ""
        while "up: mail is taken at" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        drain = threading.Thread(target=process.stdout.read, daemon=True)
        drain.start()
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
            drain.join(10)
            process.stdout.close()


def wrong(found, check):
    """What is wrong with one thing, in one text; it must be something."""
    lines = [f"{what}. {fix}" for state, what, fix in found[check] if state == "wrong"]
    assert lines, found
    return "\n".join(lines)


def sick(found):
    """The checks that found something wrong."""
    return {check for check, lines in found.items() if any(state == "wrong" for state, _, _ in lines)}


@pytest.fixture(scope="module")
def clinic():
    home = Path(tempfile.mkdtemp(prefix="troth clinic ", dir="/tmp"))
    home.chmod(0o755)
    relay = Relay(make_local_certificate(home / "tls", ["localhost", "127.0.0.1"]))
    names = Names(home)
    made = Clinic(home, relay, names)
    try:
        made.begin()
        yield made
    finally:
        relay.listening.close()
        names.stop()
        shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def well(clinic):
    """The installation as it is when nothing is wrong; put right again after the test."""
    clinic.write()
    zone = json.loads(json.dumps(clinic.names.records))
    yield clinic
    clinic.relay.fault, clinic.relay.password = None, SECRET
    clinic.relay.certificate = make_local_certificate(clinic.home / "tls", ["localhost", "127.0.0.1"])
    clinic.names.records = zone
    clinic.names.write()
    clinic.write()
