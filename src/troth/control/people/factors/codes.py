"""People: recovery codes: ten that a person keeps on paper, each of which stands in once for a second factor."""

import secrets
from uuid import UUID

from troth.control.people.factors import kinds, store

COUNT = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that looks like something else
_HALF = 5  # letters; two halves have 49 bits


def made(account: UUID) -> list[str]:
    """New ones, to be shown this once; the old ones serve no more."""
    fresh = [f"{_letters()}-{_letters()}" for _ in range(COUNT)]
    with store.locked(account, kinds.CODES) as old:
        if old is not None:
            old.remove()
        store.add(account, kinds.CODES, {"codes": [_plain(code) for code in fresh]})
    return fresh


def shown(account: UUID, code: str) -> int | None:
    """How many are left after this one, which serves no more; None: it is none of them."""
    given = _plain(code)
    with store.locked(account, kinds.CODES) as one:
        if one is None or not given.isascii():
            return None
        unused: list[str] = one.factor.document["codes"]
        right = [code for code in unused if secrets.compare_digest(code, given)]
        if not right:
            return None
        left = [code for code in unused if code not in right]
        one.write({"codes": left})
        return len(left)


def left(factors: list[store.Factor]) -> int:
    """How many of an account's are unused."""
    return sum(len(one.document["codes"]) for one in factors if one.kind == kinds.CODES)


def drop(account: UUID) -> None:
    """Codes that stand in for nothing any more."""
    with store.locked(account, kinds.CODES) as one:
        if one is not None:
            one.remove()


def _letters() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_HALF))


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").casefold()
