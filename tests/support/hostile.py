"""A scripted SMTP server on a real socket, as rude as a test needs it.

    async with hostile("220 hi", "<EHLO", "250-x|250 PIPELINING", "<DATA", "250 ok", "close") as server: ...

Steps: "<WORD" reads lines until one begins with WORD; "<." reads to the final dot; "close" and "reset" end the
connection; "hang" waits for ever; "tls" makes TLS; "drip:TEXT" says TEXT an octet at a time; "raw:TEXT" says it as it
is; anything else is said as lines ("|" between them). Each connection gets the next of the scripts, the last for good.
"""

import asyncio
import contextlib
import ssl

PIPELINED = ("220 hi", "<EHLO", "250-hostile.test|250-PIPELINING|250 SIZE 1000000")
STEPWISE = ("220 hi", "<EHLO", "250 hostile.test")
TAKE = ("<DATA", "250 ok|250 ok|354 go", "<.")


class Hostile:
    def __init__(self, scripts, context=None, *, implicit=False, drip=0.05):
        self.scripts, self.context, self.implicit, self.drip = list(scripts), context, implicit, drip
        self.heard: list[list[bytes]] = []
        self.now = self.most = 0
        self._writers = set()

    async def start(self):
        tls = self.context if self.implicit else None
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls, limit=1 << 24)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def stop(self):
        self.server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.server.wait_closed(), 2)

    async def _serve(self, reader, writer):
        lines: list[bytes] = []
        self.heard.append(lines)
        self._writers.add(writer)
        self.now += 1
        self.most = max(self.most, self.now)
        script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
        try:
            for step in script:
                await self._step(step, reader, writer, lines)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self.now -= 1
            self._writers.discard(writer)
            writer.close()

    async def _step(self, step, reader, writer, lines):
        if step.startswith("<"):
            wanted = b".\r\n" if step == "<." else step[1:].encode()
            while True:
                line = await reader.readuntil(b"\n")
                lines.append(line)
                if line == wanted or (step != "<." and line.startswith(wanted)):
                    return
        elif step == "close":
            writer.close()
            raise ConnectionError
        elif step == "reset":
            writer.transport.abort()
            raise ConnectionError
        elif step == "hang":
            await reader.read(-1)
        elif step == "tls":
            await writer.start_tls(self.context)
        elif step.startswith("drip:"):
            for octet in step[5:].encode():
                writer.write(bytes([octet]))
                await asyncio.sleep(self.drip)
        else:
            text = step[4:] if step.startswith("raw:") else step.replace("|", "\r\n") + "\r\n"
            writer.write(text.encode("latin-1"))
            await writer.drain()


@contextlib.asynccontextmanager
async def hostile(*script, scripts=None, **options):
    server = await Hostile(scripts or [script], **options).start()
    try:
        yield server
    finally:
        await server.stop()
