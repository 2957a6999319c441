"""Shows that a DKIM key changes under load without one signature that does not verify, and prints the figures.

    .venv/bin/python scripts/rotation.py [--messages 3000] [--workers 4]

Several delivery workers, a real SMTP sink, two real DNS servers of which one is behind:
tests/flow/delivery/test_rotation.py with more of everything. The exit status is the test's.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def main() -> int:
    """Run the test with the counts asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=4)
    given = parser.parse_args()
    more = {"TROTH_ROTATION_MESSAGES": str(given.messages), "TROTH_ROTATION_WORKERS": str(given.workers)}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "tests/flow/delivery/test_rotation.py"]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **more}, check=False).returncode  # noqa: S603 - our own test


if __name__ == "__main__":
    sys.exit(main())
