"""Beside the running pages, all that sends: the door, a worker and a sink as processes, on a test's own database."""

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from tests.support.pages import Site, free_port

from troth.cli import system_key
from troth.cli.demo.mailbox_store import MailStore

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Platform:
    """`site`: the pages that the door's port was told to."""

    site: Site
    box: MailStore
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)

    @property
    def door(self) -> str:
        return f"http://127.0.0.1:{self.site.door}"

    def got(self, address: str) -> list[bytes]:
        """What the sink kept for a recipient."""
        return [self.box.read(each.file) or b"" for each in self.box.entries() if each.file and each.rcpt == address]

    def await_mail(self, address: str, number: int = 1, seconds: float = 30.0) -> list[bytes]:
        """What came, once the worker has also written down how it went: a mail is here before its worker knows."""
        end = time.monotonic() + seconds
        while len(found := self.got(address)) < number or self.spooled():
            assert time.monotonic() < end, f"{len(found)} of {number} mails came; {self.logs()}"
            assert all(each.poll() is None for each in self.processes), self.logs()
            time.sleep(0.05)
        return found

    def spooled(self) -> int:
        return self.site.operator.admin.execute("SELECT count(*) FROM spool").fetchone()[0]

    def logs(self) -> str:
        return "\n".join(each.read_text()[-2000:] for each in sorted(self.site.folder.glob("*.log")))

    def stop(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(20)
        self.box.close()


def start(site: Site) -> Platform:
    """The door where the pages send to, one worker whose relay is the sink, and the firm's key for the pages."""
    made, relay = Platform(site, MailStore(site.folder / "mail" / "box")), free_port()
    try:
        sink = (
            "-m",
            "tests.support.sink",
            "--dir",
            str(site.folder / "mail" / "box"),
            "--no-tls",
            "--smtp-port",
            str(relay),
        )
        for name, argv, port in (
            ("sink", sink, relay),
            ("door", ("-m", "troth.cli", "serve", "door"), site.door),
            ("worker", ("-m", "troth.cli", "serve", "worker"), None),
        ):
            _run(made, name, argv, {"TROTH_RELAY_PORT": str(relay)})
            if port is not None:
                _await(made, port)
    except BaseException:
        made.stop()
        raise
    return made


def pages_key(site: Site) -> None:
    """As `troth key system --tests` proposes it and a second person approves it."""
    operator, firm = site.operator, site.firm
    key = system_key.system_key(operator.secrets, "a", firm.tenant)
    ends = operator.admin.execute("SELECT now_v1() + interval '80 days'").fetchone()[0]
    operator.govern("api-key", firm.tenant, system_key.NAME, system_key.artefact(key, ends, tests=True))


def _run(made: Platform, name: str, argv: tuple[str, ...], more: dict[str, str]) -> None:
    site = made.site
    where = site.operator.database.conninfo()
    env = {
        **os.environ, "TROTH_MODE": "test", "TROTH_VAR_DIR": str(site.folder), "TROTH_KEY_FILE": str(site.operator.kms_path),
        "TROTH_DATABASE_URL_FLOW": f"postgresql://troth_flow@/{where['dbname']}?host={quote(where['host'], safe='')}",
        "TROTH_HTTP_PORT": str(site.door), "TROTH_PUBLIC_URL": site.url, "TROTH_RELAY_HOST": "127.0.0.1",
        "TROTH_RELAY_TLS": "none", "TROTH_EHLO_NAME": "troth.test", "TROTH_RETURN_PATH_DOMAIN": "bounces.example.net", **more,
    }  # fmt: skip
    with (site.folder / f"{name}.log").open("wb") as log:
        made.processes.append(
            subprocess.Popen([sys.executable, *argv], env=env, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        )


def _await(made: Platform, port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and all(each.poll() is None for each in made.processes):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"a process did not start: {made.logs()}")
