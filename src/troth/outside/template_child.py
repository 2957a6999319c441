"""Before the river: tries a template in a child process that may die, so that no page and no worker does.

The child has 512 MB of address space and 4 s of processor time: parsers of MJML and HTML run in it too, on what anybody
with a draft wrote. Whatever kills it is an answer: a problem `killed`.
"""

import os
import subprocess
import sys

import msgspec

from troth.mail.problem import Problem
from troth.mail.trying import Seen, Try
from troth.outside.render_child import MEMORY, WALL, RenderChildError

PROCESSOR = 4  # seconds: building, and one rendering for each sample

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
from troth.mail.trying_child import main
main()
"""
_KILLED = Seen(
    [Problem("source", "killed", "Trying this took too much memory or time and was stopped: make it simpler.")]
)


def try_in_child(asked: Try) -> Seen:
    """As trying.attempt; raises RenderChildError when the child could not even start."""
    try:
        child = subprocess.run(  # noqa: S603  # our own interpreter and text; the template travels as data
            [sys.executable, "-I", "-c", _LAUNCH],
            input=msgspec.json.encode(asked),
            capture_output=True,
            timeout=WALL,
            check=False,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        return _KILLED
    if b"ImportError" in child.stderr or b"ModuleNotFoundError" in child.stderr:
        raise RenderChildError("The child that tries templates cannot import troth.mail; is the package installed?")
    if child.returncode != 0:
        return _KILLED
    return msgspec.json.decode(child.stdout, type=Seen)


def _environment() -> dict[str, str]:
    """No secrets: the child gets nothing but what the interpreter needs to start."""
    return {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
