"""The change engine under random sequences: `make engine` plays 10,000 of them against PostgreSQL (SEQUENCES=500 for
fewer) and prints how many versions came into force, and how many of those without four eyes: there must be none.
"""

import os
import sys

import pytest

_TEST = "tests/control/approvals/test_engine.py::test_nothing_is_in_force_without_four_eyes"


def main() -> int:
    os.environ["SEQUENCES"] = os.environ.get("SEQUENCES") or "10000"
    return pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", "--no-header", _TEST])


if __name__ == "__main__":
    sys.exit(main())
