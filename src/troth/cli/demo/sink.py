"""The demo's next hop as a process: the mailbox, whose bad manners begin when a file is there.

Until then it takes everything, so that an address can be confirmed today and go bad tomorrow, as real ones do.
"""

import argparse
import asyncio
import signal
from pathlib import Path

from troth.cli.demo.mailbox import NAMES, Mailbox
from troth.cli.demo.mailbox_page import serve_page
from troth.cli.demo.mailbox_script import Script
from troth.cli.demo.mailbox_store import MailStore
from troth.cli.demo.tls import make_local_certificate


class Later(Script):
    """The mailbox's script, once `begins` is there."""

    def __init__(self, begins: Path) -> None:
        super().__init__()
        self._begins = begins

    def at_rcpt(self, recipient: str) -> str | None:
        return super().at_rcpt(recipient) if self._begins.exists() else None

    def drops(self, recipient: str) -> bool:
        return self._begins.exists() and super().drops(recipient)

    def delay(self, recipient: str) -> float:
        return super().delay(recipient) if self._begins.exists() else 0.0


async def serve(options: argparse.Namespace) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    store = MailStore(options.dir)
    certificate = make_local_certificate(options.tls_dir, NAMES)
    password = options.password_file.read_text("utf-8").strip()
    box = Mailbox(store, certificate, options.user, password, script=Later(options.manners))
    try:
        await box.start("127.0.0.1", options.smtp_port)
        async with serve_page(store, "127.0.0.1", options.http_port):
            await stop.wait()
    finally:
        await box.stop()
        store.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="troth.cli.demo.sink")
    for name in ("dir", "tls-dir", "manners", "password-file"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    for name in ("smtp-port", "http-port"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--user", required=True)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
