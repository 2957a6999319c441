"""Delivery, composing: the inside of the child process that renders messages whose claim was lost before.

`python -m troth.flow.delivery.suspect_child` reads requests and writes answers (troth.mail.render_child's), each after
its length in four octets, until its input ends. Each request may use two more seconds of processor time.
"""

import resource
import sys
from collections.abc import Callable
from typing import BinaryIO

from troth.mail.render_child import answer
from troth.outside.render_child import MEMORY, PROCESSOR


def grant_time() -> None:
    """The soft limit counts from the process's start, so it moves on with each request."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = int(used.ru_utime + used.ru_stime) + 1 + PROCESSOR
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.RLIM_INFINITY))


def serve(requests: BinaryIO, answers: BinaryIO, before_each: Callable[[], None]) -> None:
    while len(head := requests.read(4)) == 4:
        before_each()
        made = answer(requests.read(int.from_bytes(head)))
        answers.write(len(made).to_bytes(4) + made)
        answers.flush()


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # people's data would be in it
    serve(sys.stdin.buffer, sys.stdout.buffer, grant_time)


if __name__ == "__main__":
    main()
