"""Beside the bench's river: Postfix with OpenDKIM, in folders and on ports of its own, on the same disk as ours.

Set up in its own favour: no look-ups, no limits of concurrency or rate that matter here, connections kept, no TLS to
the sink, a sink in C, twenty sessions that feed it. What makes it durable and signed stays: its queue is synced, and
each message is signed with RSA-2048, relaxed/relaxed, From oversigned. The system's own Postfix is never touched.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.bench import words

PROGRAMS = ("postfix", "opendkim", "smtp-source", "smtp-sink")
_FIND = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin:/sbin"
_COUNT = re.compile(rb"mesg=(\d+)")
_STARTS = 30.0  # seconds
_ENDS = 10.0

_MAIN = {
    "compatibility_level": "3.6",
    "mydestination": "", "local_recipient_maps": "", "alias_maps": "", "myhostname": "mta.warehouse.test",
    "inet_interfaces": "127.0.0.1", "inet_protocols": "ipv4", "mynetworks": "127.0.0.0/8",
    "smtpd_relay_restrictions": "permit_mynetworks, reject", "smtpd_peername_lookup": "no",
    "smtp_tls_security_level": "none", "smtp_dns_support_level": "disabled", "smtp_host_lookup": "native",
    "biff": "no", "in_flow_delay": "0", "milter_default_action": "tempfail",
    "default_process_limit": "100", "initial_destination_concurrency": "20",
    "default_destination_concurrency_limit": "40",
    "qmgr_message_active_limit": "30000", "qmgr_message_recipient_limit": "30000",
    "smtpd_client_connection_rate_limit": "0", "smtpd_client_connection_count_limit": "0",
    "smtp_connection_cache_on_demand": "yes", "smtp_connection_reuse_count_limit": "1000",
}  # fmt: skip

# service, type, private, unprivileged, chroot, wakeup, most processes, command; "-" is Postfix's default
_SERVICES = """
{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
tlsmgr unix - - n 1000? 1 tlsmgr
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""


class NoPeer(Exception):  # noqa: N818 - reads as the sentence it raises
    """Why the peer cannot be measured on this machine."""


def program(name: str) -> str:
    found = shutil.which(name, path=_FIND)
    if found is None:
        raise NoPeer(f"{name} is not installed")
    return found


def prepare() -> None:
    """All programs there, installed when that is possible; NoPeer says why not."""
    with contextlib.suppress(NoPeer):
        for name in PROGRAMS:
            program(name)
        return _may_run()
    if os.geteuid() or shutil.which("apt-get") is None:
        raise NoPeer("Postfix and OpenDKIM are not installed, and installing them needs root and apt")
    _install()
    for name in PROGRAMS:
        program(name)
    return _may_run()


def _may_run() -> None:
    if os.geteuid():
        raise NoPeer("Postfix starts as root only")


def _install() -> None:
    """Without starting any service: the packages' own instances stay down."""
    policy, ours = Path("/usr/sbin/policy-rc.d"), False
    if not policy.exists():
        policy.write_text("#!/bin/sh\nexit 101\n")
        policy.chmod(0o755)
        ours = True
    try:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (("update", "-q"), ("install", "-yq", "--no-install-recommends", "postfix", "opendkim")):
            done = subprocess.run(["apt-get", *command], env=quiet, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NoPeer(f"apt-get could not install them: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    finally:
        if ours:
            policy.unlink()


@dataclass(slots=True)
class Peer:
    """One running Postfix with its OpenDKIM and its sink."""

    folder: Path
    port: int
    sink_port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def pids(self) -> list[int]:
        return [process.pid for name, process in self.processes.items() if name != "sink"]

    def count(self) -> int:
        """What smtp-sink has counted; it writes a running counter."""
        with (self.folder / "sink.count").open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 200))
            found = _COUNT.findall(file.read())
        return int(found[-1]) if found else 0

    def feed(self, count: int, message: Path) -> list[subprocess.Popen[bytes]]:
        """Twenty sessions at once, one for each domain of recipients, which are all distinct."""
        each, over = divmod(count, words.DOMAINS)
        return [
            subprocess.Popen([
                program("smtp-source"), "-d", "-s", "1", "-N", "-m", str(each + (n < over)), "-F", str(message),
                "-f", "bounce@mail.warehouse.test", "-t", f"reader@d{n:02d}.sink.test", f"127.0.0.1:{self.port}",
            ], stdout=subprocess.DEVNULL)
            for n in range(words.DOMAINS) if each + (n < over)
        ]  # fmt: skip


@contextlib.contextmanager
def stand(folder: Path) -> Iterator[Peer]:
    """The peer up, in a folder that its accounts can enter; NoPeer when it does not come up."""
    port, sink_port = _free_ports(2)
    peer = Peer(folder, port, sink_port)
    _lay_out(peer)
    try:
        _start(peer)
        yield peer
    finally:
        _stop(peer)


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in sockets]


def _lay_out(peer: Peer) -> None:
    for name in ("etc", "spool", "data"):
        (peer.folder / name).mkdir(parents=True)
    shutil.chown(peer.folder / "data", "postfix")
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (peer.folder / "dkim.pem").touch(0o600)
    (peer.folder / "dkim.pem").write_bytes(key)
    hop = f"[127.0.0.1]:{peer.sink_port}"
    settings = _MAIN | {
        "config_directory": f"{peer.folder}/etc", "queue_directory": f"{peer.folder}/spool",
        "data_directory": f"{peer.folder}/data", "maillog_file": f"{peer.folder}/mail.log",
        "maillog_file_prefixes": str(peer.folder), "relayhost": hop, "smtp_connection_cache_destinations": hop,
        "smtpd_milters": f"unix:{peer.folder}/dkim.sock",
    }  # fmt: skip
    (peer.folder / "etc/main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    (peer.folder / "etc/master.cf").write_text(_SERVICES.format(port=f"127.0.0.1:{peer.port}").lstrip())
    (peer.folder / "etc/dynamicmaps.cf").touch()
    signing = {
        "Mode": "s", "Domain": "mail.warehouse.test", "Selector": "peer1", "KeyFile": f"{peer.folder}/dkim.pem",
        "Canonicalization": "relaxed/relaxed", "SignatureAlgorithm": "rsa-sha256", "OversignHeaders": "From",
        "InternalHosts": "127.0.0.1", "Socket": f"local:{peer.folder}/dkim.sock", "UMask": "000",
        "Background": "no", "Syslog": "no", "RequireSafeKeys": "no",
    }  # fmt: skip
    (peer.folder / "opendkim.conf").write_text("".join(f"{name} {value}\n" for name, value in signing.items()))


def _start(peer: Peer) -> None:
    quiet = {"stdin": subprocess.DEVNULL, "start_new_session": True}
    with (peer.folder / "sink.count").open("wb") as counter:
        argv = [program("smtp-sink"), "-c", "-u", "nobody", f"127.0.0.1:{peer.sink_port}", "1000"]
        peer.processes["sink"] = subprocess.Popen(argv, stdout=counter, stderr=counter, **quiet)  # type: ignore[call-overload]  # as Popen wants them
    with (peer.folder / "start.log").open("wb") as log:
        argv = [program("opendkim"), "-f", "-x", f"{peer.folder}/opendkim.conf"]
        peer.processes["opendkim"] = subprocess.Popen(argv, stdout=log, stderr=log, **quiet)  # type: ignore[call-overload]  # as above
        _until(lambda: (peer.folder / "dkim.sock").exists(), peer)
        argv = [program("postfix"), "-c", f"{peer.folder}/etc", "start-fg"]
        peer.processes["postfix"] = subprocess.Popen(argv, stdout=log, stderr=log, **quiet)  # type: ignore[call-overload]  # as above
    _until(lambda: _listens(peer.port) and _listens(peer.sink_port), peer)


def _until(ready: Callable[[], bool], peer: Peer) -> None:
    until = time.monotonic() + _STARTS
    while not ready():
        if time.monotonic() > until or any(process.poll() is not None for process in peer.processes.values()):
            said = (peer.folder / "start.log").read_text(errors="replace").strip()
            raise NoPeer(f"Postfix did not start: {said[-300:] or 'no reason given'}")
        time.sleep(0.05)


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _stop(peer: Peer) -> None:
    """By the processes that we started; Postfix's master ends those that are its own."""
    for process in reversed(peer.processes.values()):
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(_ENDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
