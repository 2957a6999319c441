"""Before the river: the inside of the child process in which a template is tried before anybody may approve it.

One JSON `Try` on standard input, one JSON `Seen` on standard output; troth.outside.template_child launches it with
limits on memory and time.
"""

import sys

import msgspec

from troth.mail.trying import Try, attempt


def answer(request: bytes) -> bytes:
    """One request answered; raises only on a request that the launcher cannot have written."""
    return msgspec.json.encode(attempt(msgspec.json.decode(request, type=Try)))


def main() -> None:
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
