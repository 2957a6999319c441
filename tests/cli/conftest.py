"""The desk of an operator whose first day is over, for every test of the command line."""

from tests.support.desk import desk, settled

__all__ = ["desk", "settled"]
