"""Delivery, composing: messages that were in a lost worker's hands are rendered in a child, which may die instead.

A worker that is killed leaves hundreds of innocent claims behind, so one child serves many; whoever it dies on is the
one. outside/render_child.py starts one a template, at proposal.
"""

import os
import selectors
import subprocess
import sys
import time
from threading import Lock
from typing import IO

import msgspec

from troth.flow.delivery.compose import LIMITS
from troth.flow.delivery.materials import Template
from troth.mail.render import Rendered, RenderError
from troth.mail.render_child import Answer, Request
from troth.outside.render_child import WALL

_KEPT = ("PATH", "LD_LIBRARY_PATH", "LANG")  # no secrets


class Suspects:
    """Renders like compose.render_here, in a child that is started when first needed. Blocking: call it in a thread."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None
        self._lock = Lock()

    def render(self, template: Template, variables: dict[str, object]) -> Rendered:
        """RenderError of kind `killed` when the child died of it or took too long."""
        request = msgspec.json.encode(Request(template.source, variables, LIMITS))
        with self._lock:
            try:
                answer = self._ask(request)
            except (OSError, EOFError):
                self._end()
                raise RenderError("killed", "Rendering used too much memory or time and was stopped.") from None
        if answer.error is not None:
            raise RenderError(answer.error.kind, answer.error.hint)
        assert answer.rendered is not None
        return answer.rendered

    def close(self) -> None:
        with self._lock:
            self._end()

    def _ask(self, request: bytes) -> Answer:
        child = self._child = self._child or _start()
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(len(request).to_bytes(4) + request)
        child.stdin.flush()
        until = time.monotonic() + WALL
        head = _read(child.stdout, 4, until)
        return msgspec.json.decode(_read(child.stdout, int.from_bytes(head), until), type=Answer)

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            assert pipe is not None
            try:
                pipe.close()
            except OSError:  # what was still to be written has no reader any more
                continue


def _start() -> subprocess.Popen[bytes]:
    # our own interpreter and module; the template travels as data
    return subprocess.Popen(
        [sys.executable, "-I", "-m", "troth.flow.delivery.suspect_child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback may quote what it was given
        env={name: os.environ[name] for name in _KEPT if name in os.environ},
    )


def _read(pipe: IO[bytes], count: int, until: float) -> bytes:
    """Exactly so many octets; EOFError when the child is gone or `until` (monotonic) has passed."""
    parts: list[bytes] = []
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        while count:
            if not selector.select(max(0.0, until - time.monotonic())):
                raise EOFError
            part = os.read(pipe.fileno(), min(count, 65536))
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
    return b"".join(parts)
