"""The cast of the feedback's tests is the river's own."""

from tests.support.firm import operator

__all__ = ["operator"]
