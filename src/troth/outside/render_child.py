"""Before the river: renders a template in a child process that may die, so that no worker does.

Used when a template is proposed, and for a message that has already killed a worker. The child has 512 MB of address
space and 2 s of processor time (FACTS 31); whatever kills it is an answer: RenderError("killed").
"""

import os
import subprocess
import sys
from typing import Any

import msgspec

from troth.mail.lint import lint
from troth.mail.problem import Problem
from troth.mail.render import Rendered, RenderError, RenderLimits, TemplateSource
from troth.mail.render_child import Answer, Request
from troth.mail.samples import largest, smallest
from troth.mail.variables import check

MEMORY = 512 * 1024 * 1024  # bytes of address space
PROCESSOR = 2  # seconds
WALL = 20  # seconds; a child that waits for a busy machine is not yet a bomb


class RenderChildError(RuntimeError):
    """The child could not even start: our installation's fault, not the template's."""


# Limits are set by the child itself, before it reads anything: a function between fork and exec is unsafe in a process
# with threads. macOS does not know a limit on address space; its processor limit still stands.
_LAUNCH = f"""
import resource
try:
    resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
except (ValueError, OSError):
    pass
resource.setrlimit(resource.RLIMIT_CPU, ({PROCESSOR}, {PROCESSOR + 1}))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
from troth.mail.render_child import main
main()
"""


def render_in_child(source: TemplateSource, variables: dict[str, Any], limits: RenderLimits) -> Rendered:
    """As Compiled.render; raises RenderError, of kind `killed` when the child died or took too long."""
    request = msgspec.json.encode(Request(source, variables, limits))
    try:
        child = subprocess.run(  # noqa: S603  # our own interpreter and text; the template travels as data
            [sys.executable, "-I", "-c", _LAUNCH],
            input=request,
            capture_output=True,
            timeout=WALL,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        raise RenderError("killed", "Rendering took too long and was stopped.") from None
    if b"ImportError" in child.stderr or b"ModuleNotFoundError" in child.stderr:
        raise RenderChildError("The render child cannot import troth.mail; is the package installed?")
    if child.returncode != 0:
        raise RenderError("killed", "Rendering used too much memory or time and was stopped.")
    return _read(child.stdout)


def _read(output: bytes) -> Rendered:
    answer = msgspec.json.decode(output, type=Answer)
    if answer.rendered is not None:
        return answer.rendered
    error = answer.error
    raise RenderError(error.kind, error.hint) if error else RenderChildError("The render child gave no answer.")


def propose(source: TemplateSource, schema: dict[str, Any], samples: list[dict[str, Any]]) -> list[Problem]:
    """Everything that speaks against a template: lint, its samples, then child renders of those and of the extremes."""
    problems = lint(source.subject, source.html, source.text, schema)
    if problems:
        return problems
    for number, sample in enumerate(samples):
        found = check(sample, schema)
        problems += [Problem(f"samples.{number}.{one.field}", one.code, one.hint) for one in found]
    if problems:
        return problems
    trials = [(f"samples.{number}", sample) for number, sample in enumerate(samples)]
    trials += [("largest", largest(schema)), ("smallest", smallest(schema))]
    for field, variables in trials:
        try:
            render_in_child(source, variables, RenderLimits())
        except RenderError as error:
            problems.append(Problem(field, error.kind, error.hint))
    return problems


def _environment() -> dict[str, str]:
    """No secrets: the child gets nothing but what the interpreter needs to start."""
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
