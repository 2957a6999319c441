"""`make fuzz MINUTES=...` finds crashes and slowness in any reader of what strangers send, and counts what it tried."""

import math
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from scripts import fuzz_parsers
from scripts.fuzz_parsers import PARSERS, one, spoilt

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", list(PARSERS))
def test_spoilt_letters_are_read(name):
    @settings(deadline=None)
    @given(spoilt(fuzz_parsers._OWN))
    def reads(octets):
        one(PARSERS[name], octets)

    reads()


def test_a_reader_that_raises_and_one_that_dawdles_are_found(monkeypatch):
    def raises(octets):
        if octets not in fuzz_parsers._OWN:
            raise KeyError("spoilt")

    def dawdles(_octets):
        begun = time.process_time()
        while time.process_time() - begun < 0.02:
            pass

    monkeypatch.setattr(fuzz_parsers, "seeds", lambda: list(fuzz_parsers._OWN))
    monkeypatch.setattr(fuzz_parsers, "SLOW", 0.01)
    monkeypatch.setitem(PARSERS, "raises", raises)
    monkeypatch.setitem(PARSERS, "dawdles", dawdles)
    for name in ("raises", "dawdles"):
        told = fuzz_parsers._round(name, fuzz_parsers.seeds(), 1, Counter(), math.inf)
        assert told.startswith(f"{name}: ")
        assert "base64: " in told


def test_a_crash_of_the_last_moment_is_told(monkeypatch):
    until = time.monotonic() + 60

    def raises(_octets):
        monkeypatch.setattr(fuzz_parsers.time, "monotonic", lambda: until + 1)
        raise KeyError("late")

    monkeypatch.setitem(PARSERS, "raises", raises)
    assert fuzz_parsers._round("raises", fuzz_parsers._OWN, 1, Counter(), until).startswith("raises: KeyError: ")


def test_the_program_says_how_much_it_tried():
    done = subprocess.run(
        [sys.executable, "scripts/fuzz_parsers.py", "--minutes", "0.02", "--only", "parts", "bounce"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert b"0 crashes in 0.02 minutes" in done.stdout
