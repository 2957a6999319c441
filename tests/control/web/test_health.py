"""The pages' health: asked without a sign-in, answered in bounded time, telling nothing but whether they can serve."""

import json
import os
import signal
import time


def test_the_pages_say_whether_they_can_serve(site):
    visitor = site.visitor()
    for path in ("/healthz", "/livez"):
        answer = visitor.get(path)
        assert (answer.status, json.loads(answer.text)) == (200, {"status": "ok"})
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["set-cookie"] is None
    server = site.operator.database.server
    os.kill(server.pid, signal.SIGSTOP)  # hangs: worse than gone
    try:
        began = time.monotonic()
        away = visitor.get("/healthz")
        assert time.monotonic() - began < 8
        assert visitor.get("/livez").status == 200
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert away.status == 503
    assert "database does not answer" in json.loads(away.text)["sentence"]
    assert away.headers["retry-after"] == "5"
    assert visitor.get("/healthz").status == 200


def test_asking_otherwise_is_refused(site):
    assert site.visitor().post("/healthz").status in (403, 405)
