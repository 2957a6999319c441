"""The desks: a report's clocks as its reporter reads them. Pure."""

from collections.abc import Iterable

from troth.rules.cases import Clock

CLOCKS = {
    "acknowledge": "We say that we have it",
    "resolve": "We are done with it",
    "assess": "We judge how bad it is",
    "patch": "It is mended",
    "update": "You hear from us again",
}
_PROMISES = {
    "acknowledge": "you hear that we have it by {}",
    "resolve": "we are done with it by {}",
    "assess": "how bad it is has been judged by {}",
}


def promise(clocks: Iterable[Clock]) -> str:
    """What somebody who reports now can count on, as part of a sentence; "" where nothing is promised."""
    due = {clock.name: clock.due_at for clock in clocks}
    told = [
        words.format(f"{due[name]:%d %B, %H:%M} UTC".lstrip("0")) for name, words in _PROMISES.items() if name in due
    ]
    return "if you write now, " + " and ".join(told) if told else ""
