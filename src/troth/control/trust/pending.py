"""Claims: what will give a promise its check, where it has none yet (pending.toml)."""

import tomllib
from functools import cache
from importlib.resources import files


def pending(claim: str) -> str:
    """In a sentence; "" of a claim that has its control."""
    return _table().get(claim, "")


@cache
def _table() -> dict[str, str]:
    return tomllib.loads((files("troth.control.trust") / "pending.toml").read_text(encoding="utf-8"))
