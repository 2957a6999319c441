"""Writes control/trust/shape.txt, the database as a new one stands: `.venv/bin/python scripts/gen_shape.py`."""

import os
import sys

import pytest

_TEST = "tests/control/trust/test_shape.py::test_the_file_is_a_new_database"


def main() -> int:
    os.environ["WRITE_SHAPE"] = "yes"
    return pytest.main(["-q", "-n", "0", "-p", "no:cacheprovider", "--no-header", _TEST])


if __name__ == "__main__":
    sys.exit(main())
