"""A DNS server for tests that are not async: the demo's, on a thread of its own, whose records the test sets."""

import asyncio
import threading

from troth.cli.demo.dns import DnsServer


class OwnDns:
    def __init__(self, zones) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.server = DnsServer(zones)
        self._run(self.server.start())
        self.address = f"{self.server.host}:{self.server.port}"

    def set(self, name: str, kind: str, values) -> None:
        async def put():
            self.server.set(name, kind, values)

        self._run(put())

    def stop(self) -> None:
        self._run(self.server.stop())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(10)
