"""A Postfix of our own as the relay, in folders and on a port of its own, and a far server that refuses by address.

What the far server refuses comes back from Postfix as notifications, over SMTP, to wherever the return path's domain
leads. The system's own Postfix is never touched.
"""

import asyncio
import contextlib
import shutil
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.bench.peer import _MAIN, _SERVICES, program

# a word of the local part -> what the far server says at RCPT, however often
FAR = {
    "nouser": "550 5.1.1 <{}>: Recipient address rejected: User unknown",
    "gone": "550 No such user here",
    "full5": "552 5.2.2 The mailbox is full",
    "full4": "452 4.2.2 The mailbox is full",
    "policy": "554 5.7.1 Message rejected by policy",
    "spam": "550 5.7.1 Message blocked as spam",
    "grey": "451 4.7.1 Greylisted, come again",
}
# the same, said by Postfix itself while we are there
NEAR = {
    "near-nouser": "550 5.1.1 User unknown here",
    "near-full": "452 4.2.2 The mailbox is full",
    "near-policy": "554 5.7.1 Refused by policy",
    "near-busy": "450 4.3.2 Not just now",
}


class Far:
    """Speaks as much SMTP as Postfix needs."""

    def __init__(self):
        self.tries, self.taken, self._server = Counter(), [], None

    async def start(self):
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self):
        self._server.close()

    async def _serve(self, reader, writer):
        good = []  # the recipients of this connection's mail: Postfix opens several at once
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            writer.write(b"220 far.example ESMTP\r\n")
            while line := await reader.readline():
                writer.write((self._answer(line.decode().strip(), good) + "\r\n").encode())
                if line.upper().startswith(b"QUIT"):
                    break
        writer.close()

    def _answer(self, line, good):
        word = line[:4].upper()
        if word == "RCPT":
            return self._rcpt(line.partition("<")[2].partition(">")[0], good)
        if word == "DATA":
            return "354 go on" if good else "554 5.5.1 no recipient"
        if word in ("MAIL", "RSET"):
            good.clear()
        if word == "." or line == ".":
            return "250 2.0.0 taken"
        return {"EHLO": "250 far.example", "HELO": "250 far.example", "QUIT": "221 bye"}.get(word, "250 2.0.0 ok")

    def _rcpt(self, address, good):
        self.tries[address] += 1
        said = next((said for word, said in FAR.items() if word in address), None)
        if said is None:
            good.append(address)
            return "250 2.1.5 ok"
        return said.format(address)


class Postfix:
    """`port`: where it takes mail; bounces to `path` go to `home` (a port of ours)."""

    def __init__(self, port, far, path, home):
        self.folder = Path(tempfile.mkdtemp(prefix="troth-postfix-"))
        self.folder.chmod(0o755)
        self.port = port
        for name in ("etc", "spool", "data"):
            (self.folder / name).mkdir()
        shutil.chown(self.folder / "data", "postfix")
        self._write(far, path, home)
        with (self.folder / "start.log").open("wb") as log:
            self._process = subprocess.Popen(
                [program("postfix"), "-c", f"{self.folder}/etc", "start-fg"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True,
            )  # fmt: skip

    def _write(self, far, path, home):
        etc = self.folder / "etc"
        settings = _MAIN | {
            "config_directory": str(etc), "queue_directory": f"{self.folder}/spool",
            "data_directory": f"{self.folder}/data", "maillog_file": f"{self.folder}/mail.log",
            "maillog_file_prefixes": str(self.folder), "transport_maps": f"texthash:{etc}/transport",
            "smtpd_recipient_restrictions": f"check_recipient_access texthash:{etc}/access, permit_mynetworks, reject",
            # it gives up soon, and says that it is late before
            "queue_run_delay": "1s", "minimal_backoff_time": "1s", "maximal_backoff_time": "1s",
            "maximal_queue_lifetime": "6s", "bounce_queue_lifetime": "60s", "delay_warning_time": "2s",
            "smtp_connection_cache_on_demand": "no",
        }  # fmt: skip
        (etc / "main.cf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
        (etc / "master.cf").write_text(_SERVICES.format(port=f"127.0.0.1:{self.port}").lstrip())
        (etc / "dynamicmaps.cf").touch()
        (etc / "transport").write_text(f"{path} smtp:[127.0.0.1]:{home}\n* smtp:[127.0.0.1]:{far}\n")
        (etc / "access").write_text("".join(f"{word}@ {said}\n" for word, said in NEAR.items()))

    async def up(self):
        end = time.monotonic() + 30
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.close()
                return
            assert self._process.poll() is None, (self.folder / "start.log").read_text(errors="replace")
            assert time.monotonic() < end, self.log()
            await asyncio.sleep(0.05)

    def log(self):
        with contextlib.suppress(OSError):
            return (self.folder / "mail.log").read_text(errors="replace")
        return ""

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
