"""The demo's ground: its folder, its free ports, and the settings that every process of it reads."""

import json
import os
import secrets
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, fields, replace
from pathlib import Path

from troth.cli.demo.tls import make_local_certificate
from troth.cli.demo.zone import BOUNCES, LEAVES, LIST, SPF
from troth.outside import postgres_orphan, postgres_places
from troth.settings import Settings
from troth.settings.kinds import HostPort
from troth.settings.load import CONFIG

HOST = "127.0.0.1"
USER = "troth-demo"
DOOR, PAGES, METRICS, MAILBOX, RELAY, NAMES, INBOUND = (
    8025,
    8026,
    8028,
    8027,
    8587,
    8053,
    8525,
)  # where they are free; else the next ones that are
_MARK = 10_000  # added to a port, gives the UDP port that a copy of the demo holds while it uses the port
_MOST = 500  # ports that are tried
LOG = "processes.log"
PAGES_TLS = "pages-tls"
_KEPT = {"run", "postgres", LOG}  # the supervisor's, the database's home (which may be a link), what is open


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of this run is."""

    folder: Path
    settings: Settings
    mailbox_port: int

    @property
    def zone(self) -> Path:
        return self.folder / "zone.json"

    @property
    def maildir(self) -> Path:
        return self.folder / "mailbox"

    @property
    def tls(self) -> Path:
        return self.folder / "mailbox-tls"

    @property
    def trust(self) -> Path:
        """The certificate authority of this run, which the pages' certificate descends from."""
        return self.folder / PAGES_TLS / "ca.pem"

    @property
    def passwords(self) -> Path:
        """Who signs in to the pages, and with what (JSON, 0600)."""
        return self.credentials / "pages.json"

    @property
    def manners(self) -> Path:
        """While this file is there, the mailbox does to each recipient what its address says."""
        return self.folder / "mailbox-manners"

    @property
    def password(self) -> Path:
        return self.folder / "keys" / "relay-password"

    @property
    def credentials(self) -> Path:
        return self.folder / "credentials"

    @property
    def config(self) -> Path:
        """This run's settings: no troth.toml of the current folder has a say, and any command can be told of it."""
        return self.folder / "troth.toml"

    @property
    def log(self) -> Path:
        return self.folder / LOG

    @property
    def door(self) -> str:
        return f"http://{HOST}:{self.settings.http_port}"

    @property
    def mailbox_page(self) -> str:
        return f"http://{HOST}:{self.mailbox_port}"


def lay_out(given: Settings, held: ExitStack) -> Layout:
    """Settings for a run in `<var>/demo`, on ports that are ours until `held` is closed.

    What `given` says of PostgreSQL's programs and of webhooks stays; all else is the demo's own.
    """
    folder = given.var_dir / "demo"
    wanted = (DOOR, PAGES, METRICS, MAILBOX, RELAY, NAMES, INBOUND)
    door, pages, metrics, mailbox, relay, dns, inbound = _ports(held, *wanted)
    settings = replace(
        Settings(),
        mode="demo",
        var_dir=folder,
        pg_bin=given.pg_bin,
        http_port=door,
        web_port=pages,
        metrics_port=metrics,
        public_url=f"https://localhost:{pages}",  # no passkey is made for a number: WebAuthn wants a name
        tls_cert_file=folder / PAGES_TLS / "server.pem",
        tls_key_file=folder / PAGES_TLS / "server.key",
        relay_host=HOST,
        relay_port=relay,
        relay_username=USER,
        relay_password=secrets.token_urlsafe(24),
        relay_ca_file=folder / "mailbox-tls" / "ca.pem",
        ehlo_name="troth.test",
        return_path_domain=BOUNCES,
        inbound_port=inbound,
        spf_mechanism=SPF,
        sending_addresses=(LEAVES,),
        address_lists=(LIST,),
        dns_resolvers=(HostPort(HOST, dns),),
        webhook_allow=given.webhook_allow,
        sign_on_allow=given.sign_on_allow,
        log_level="info",
    )
    return Layout(folder, settings, mailbox)


def environment(layout: Layout, base: Mapping[str, str]) -> dict[str, str]:
    """`base` without its TROTH_* variables, and one for each setting that is not its default."""
    ours = {f"TROTH_{name.upper()}": _text(value) for name, value in _told(layout.settings).items()}
    return (
        {name: value for name, value in base.items() if not name.startswith("TROTH_")}
        | ours
        | {CONFIG: str(layout.config)}
    )


def _told(settings: Settings) -> dict[str, object]:
    """What is not as it is by default."""
    usual, told = Settings(), {each.name: getattr(settings, each.name) for each in fields(Settings)}
    return {name: value for name, value in told.items() if value != getattr(usual, name)}


def _toml(settings: Settings) -> Iterator[str]:
    yield "# Written by the demo; `troth --config` with this file speaks to it.\n"
    for name, value in _told(settings).items():
        plain = list(map(str, value)) if isinstance(value, tuple) else value
        yield f"{name} = {json.dumps(plain if isinstance(plain, bool | int | list) else str(plain))}\n"


def _text(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def clear(layout: Layout) -> None:
    """Make the folder as new; a database that an earlier run left running is stopped first.

    Called under the supervisor's lock, so that nobody else works here.
    """
    for each in layout.folder.iterdir():
        if each.name not in _KEPT:
            shutil.rmtree(each) if each.is_dir() and not each.is_symlink() else each.unlink()
    home = (layout.folder / "postgres").resolve()
    if home.is_dir():
        held = postgres_places.hold(home)
        try:
            postgres_orphan.stop_orphan(home / postgres_places.CLUSTER)
            for name in (postgres_places.CLUSTER, "log"):
                with suppress(FileNotFoundError):
                    shutil.rmtree(home / name)
        finally:
            os.close(held)
    for folder in (layout.password.parent, layout.credentials):
        folder.mkdir(mode=0o700)
    make_local_certificate(layout.trust.parent, (HOST, "localhost"))
    layout.config.touch(0o600)
    layout.config.write_text("".join(_toml(layout.settings)), "utf-8")
    layout.password.touch(0o600)
    layout.password.write_text(layout.settings.relay_password or "", "utf-8")


def _ports(held: ExitStack, *wanted: int) -> list[int]:
    """A free port for each, upwards from the one wanted, kept from other copies of the demo until `held` is closed."""
    return [next(port for port in range(first, first + _MOST) if _take(port, held)) for first in wanted]


def _take(port: int, held: ExitStack) -> bool:
    """Whether nobody listens there, and no other copy is about to: the sign of that is a UDP socket far above."""
    mark = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        mark.bind((HOST, port + _MARK))
        socket.create_server((HOST, port)).close()
    except OSError:
        mark.close()
        return False
    held.enter_context(mark)
    return True
