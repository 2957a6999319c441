"""Evidence, sampled: which members of a population are looked at, so that nobody could choose them and anybody can draw
them again.

The seed is the SHA-256 of a checkpoint's root, the period and the population's name and size: it was not known before
the checkpoint was signed. Numbers come from SHA-256 over the seed and a counter; those that would favour a member are
passed over; no member is drawn twice.
"""

import hashlib
from collections.abc import Iterator

LABEL = "troth.draw.v1"
_BYTES = 8
_SPAN = 2 ** (8 * _BYTES)


def seed(root: bytes, begins: int, ends: int, name: str, size: int) -> bytes:
    """32 bytes. `begins`, `ends`: the period, in microseconds since 1970; `size`: how many members there are."""
    return hashlib.sha256(f"{LABEL}\n{root.hex()}\n{begins}\n{ends}\n{name}\n{size}\n".encode()).digest()


def draw(seed: bytes, size: int, count: int) -> list[int]:
    """`count` different places of [0, size), in the order in which they were drawn; all of them where there are fewer.

    The first of a longer draw are those of a shorter one.
    """
    if size < 0 or count < 0:
        raise ValueError("a draw is of 0 members or more")
    numbers = _numbers(seed)
    moved: dict[int, int] = {}
    drawn: list[int] = []
    for place in range(min(size, count)):
        other = place + _below(numbers, size - place)
        drawn.append(moved.get(other, other))
        moved[other] = moved.get(place, place)
    return drawn


def _numbers(seed: bytes) -> Iterator[int]:
    counter = 0
    while True:
        block = hashlib.sha256(seed + counter.to_bytes(_BYTES)).digest()
        for at in range(0, len(block), _BYTES):
            yield int.from_bytes(block[at : at + _BYTES])
        counter += 1


def _below(numbers: Iterator[int], limit: int) -> int:
    """A number of [0, limit), each as likely: those above the last whole multiple are passed over."""
    fair = _SPAN - _SPAN % limit
    return next(number for number in numbers if number < fair) % limit
