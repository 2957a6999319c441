"""A DNS server that answers late: a relay on loopback before the demo's, UDP alone, so that patience is put to the test."""

import asyncio


class SlowDns(asyncio.DatagramProtocol):
    """Each question goes on to `server` after `delay` seconds."""

    def __init__(self, server, delay: float) -> None:
        self.server, self.delay, self.tasks = server, delay, set()

    async def __aenter__(self):
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.address = self.transport.get_extra_info("sockname")
        return self

    async def __aexit__(self, *_error) -> None:
        for task in self.tasks:
            task.cancel()
        self.transport.close()

    def datagram_received(self, data, peer) -> None:
        task = asyncio.ensure_future(self._late(data, peer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _late(self, data, peer) -> None:
        await asyncio.sleep(self.delay)
        answer = self.server.answer(data, limit=1232)
        if answer is not None:
            self.transport.sendto(answer, peer)
