"""Feedback: what can be saved of a report with broken XML: parsedmarc's recovery, in a child process that may die.

The child has 512 MB of address space, 8 s of processor time, no network and no secrets; whatever kills it is an answer.
"""

import os
import subprocess
import sys
from typing import Any

import msgspec

MEMORY = 512 * 1024 * 1024  # bytes of address space
PROCESSOR = 8  # seconds
WALL = 30  # seconds; a child that waits for a busy machine is not yet a bomb
LARGEST = 5 * 1024 * 1024  # octets; broken and larger than this, it is not tried

# As outside/render_child.py: limits are set by the child itself, before it reads anything.
_LAUNCH = f"""
import resource
try:
    resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
except (ValueError, OSError):
    pass
resource.setrlimit(resource.RLIMIT_CPU, ({PROCESSOR}, {PROCESSOR + 1}))
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
from troth.outside.report_child_main import main
main()
"""


class ReportChildError(RuntimeError):
    """The child could not even start: our installation's fault, not the report's."""


def recover(text: str) -> dict[str, Any] | None:
    """The dictionary of parsedmarc; None when it could not, or took too much."""
    octets = text.encode("utf-8", errors="replace")
    if len(octets) > LARGEST:
        return None
    try:
        child = subprocess.run(  # noqa: S603  # our own interpreter and text; the report travels as data
            [sys.executable, "-I", "-c", _LAUNCH], input=octets, capture_output=True, timeout=WALL, check=False,
            env=_environment(),
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    if b"ImportError" in child.stderr or b"ModuleNotFoundError" in child.stderr:
        raise ReportChildError("The child that reads reports cannot import parsedmarc; is the package installed?")
    if child.returncode != 0 or not child.stdout:
        return None
    found: dict[str, Any] = msgspec.json.decode(child.stdout)
    return found


def _environment() -> dict[str, str]:
    """No secrets. Times are UTC's: parsedmarc writes them in the local zone."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "LANG") if name in os.environ}
    return {**kept, "TZ": "UTC"}
