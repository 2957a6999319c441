"""A scripted SMTP server on a real socket, as rude as a test needs it. It runs in threads of its own.

    async with hostile("220 hi", "<EHLO", "250-x|250 PIPELINING", "<DATA", "250 ok", "close") as server: ...

Steps: "<WORD" reads lines until one begins with WORD; "<." reads to the final dot; "close" and "reset" end the
connection; "hang" reads and says nothing; "stall" does not even read; "tls" makes TLS; "wait" waits for `server.go`;
"drip:TEXT" says TEXT an octet at a time; "raw:TEXT" says it as it is; anything else is said as lines ("|" between
them). Each connection gets the next of the scripts, the last for good.
"""

import contextlib
import socket
import struct
import threading

PIPELINED = ("220 hi", "<EHLO", "250-hostile.test|250-PIPELINING|250 SIZE 100000000")
STEPWISE = ("220 hi", "<EHLO", "250 hostile.test")
TAKE = ("<DATA", "250 ok|250 ok|354 go", "<.")


class Hostile:
    def __init__(self, scripts, context=None, *, implicit=False, drip=0.05):
        self.scripts, self.context, self.implicit, self.drip = list(scripts), context, implicit, drip
        self.heard: list[list[bytes]] = []
        self.now = self.most = 0
        self.over, self.go = threading.Event(), threading.Event()
        self._lock = threading.Lock()
        self._threads, self._sockets = [], []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._spawn(self._accept)

    def stop(self):
        self.over.set()
        self.go.set()
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        self._listener.close()

    def _spawn(self, work, *args):
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self):
        while not self.over.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._spawn(self._serve, connection)

    def _serve(self, connection):
        with self._lock:
            self._sockets.append(connection)
            self.now += 1
            self.most = max(self.most, self.now)
            script = self.scripts.pop(0) if len(self.scripts) > 1 else self.scripts[0]
            lines: list[bytes] = []
            self.heard.append(lines)
        session = Session(self, connection, lines)
        with contextlib.suppress(OSError, EOFError):  # an SSLError is an OSError
            if self.implicit:
                session.step("tls")
            for step in script:
                session.step(step)
        with self._lock:
            self.now -= 1
        session.connection.close()


class Session:
    def __init__(self, server, connection, lines):
        self.server, self.connection, self.lines, self.buffer = server, connection, lines, b""

    def line(self):
        while b"\n" not in self.buffer:
            more = self.connection.recv(65536)
            if not more:
                raise EOFError
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        self.lines.append(line + b"\n")
        return line + b"\n"

    def until(self, word):
        while True:
            line = self.line()
            if line == b".\r\n" if word == "." else line.startswith(word.encode()):
                return

    def step(self, step):
        if step.startswith("<"):
            self.until(step[1:])
        elif step == "close":
            self.connection.close()
            raise EOFError
        elif step == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            raise EOFError
        elif step == "hang":
            while self.connection.recv(65536):
                pass
        elif step == "stall":
            self.server.over.wait(30)
        elif step == "wait":
            self.server.go.wait(30)
        elif step == "tls":
            self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        elif step.startswith("drip:"):
            for octet in step[5:].encode():
                self.connection.sendall(bytes([octet]))
                if self.server.over.wait(self.server.drip):
                    return
        else:
            text = step[4:] if step.startswith("raw:") else step.replace("|", "\r\n") + "\r\n"
            self.connection.sendall(text.encode("latin-1"))


@contextlib.asynccontextmanager
async def hostile(*script, scripts=None, **options):
    server = Hostile(scripts or [script], **options)
    try:
        yield server
    finally:
        server.stop()
