"""The trust centre: pages as they were rendered, kept in this process while nothing that they say has changed."""

from collections import OrderedDict
from collections.abc import Callable
from datetime import datetime
from threading import Lock

_MOST = 64
_one = Lock()  # what a crowd asks for at once is made once
_pages: OrderedDict[tuple[str, ...], tuple[str, datetime, datetime, bytes]] = OrderedDict()


def page(key: tuple[str, ...], mark: str, now: datetime, make: Callable[[], tuple[bytes, datetime]]) -> bytes:
    """What `make()` gives with until when; made anew where the mark differs or its time is over."""
    with _one:
        there = _pages.get(key)
        if there is not None and there[0] == mark and there[1] <= now < there[2]:
            _pages.move_to_end(key)
            return there[3]
        content, until = make()
        _pages[key] = (mark, now, until, content)
        _pages.move_to_end(key)
        while len(_pages) > _MOST:
            _pages.popitem(last=False)
        return content
