"""The mailbox's store, for every test of the demo."""

from tests.support.mailbox import store

__all__ = ["store"]
