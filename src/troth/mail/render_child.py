"""Before the river: the inside of the child process in which a proposed template is rendered first.

`python -m troth.mail.render_child` reads one JSON request on standard input and writes one JSON answer;
troth.outside.render_child launches it with limits on memory and time.

    {"source": {subject, html, text}, "variables": {...}, "limits": {fuel, max_output_bytes}}
    {"rendered": {subject, html, text}}  or  {"error": {"kind", "hint"}}
"""

import sys
from typing import Any

import msgspec

from troth.mail.render import Compiled, Rendered, RenderError, RenderLimits, TemplateSource


class Request(msgspec.Struct, frozen=True):
    source: TemplateSource
    variables: dict[str, Any]
    limits: RenderLimits


class Failed(msgspec.Struct, frozen=True):
    kind: str
    hint: str


class Answer(msgspec.Struct, frozen=True):
    rendered: Rendered | None = None
    error: Failed | None = None


def answer(request: bytes) -> bytes:
    """One request answered; raises only on a request that the launcher cannot have written."""
    asked = msgspec.json.decode(request, type=Request)
    try:
        rendered = Compiled(asked.source).render(asked.variables, asked.limits)
    except RenderError as error:
        return msgspec.json.encode(Answer(error=Failed(error.kind, error.hint)))
    return msgspec.json.encode(Answer(rendered=rendered))


def main() -> None:
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read()))


if __name__ == "__main__":
    main()
