"""Running pages, with somebody on each side who can sign in."""

import http.server
import json
import threading
from contextlib import contextmanager

import pytest
from tests.support import pages


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


class Door(http.server.BaseHTTPRequestHandler):
    """A stand-in for the sending door; the demo's run has the real one."""

    took: list = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Door.took.append((self.path, self.headers["Authorization"], body))
        self.send_response(202)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@contextmanager
def serving(port):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Door)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def door(site):
    Door.took = []
    with serving(site.door):
        yield Door.took
