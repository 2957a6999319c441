"""The webhooks' cast, for every test of the stage."""

from tests.support.hooks import hooks

__all__ = ["hooks"]
