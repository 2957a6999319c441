"""The installation that the doctor's tests break."""

from tests.support.clinic import clinic, well

__all__ = ["clinic", "well"]
