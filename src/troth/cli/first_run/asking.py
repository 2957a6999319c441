"""Around the house: questions at a terminal: an answer that does not fit is told why, and asked for again."""

import getpass
import re
from collections.abc import Callable, Iterable

from troth.cli.words import CommandError

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Unfit(Exception):  # noqa: N818 - reads as the sentence it carries
    """An answer that cannot be taken; the sentence says what to write instead."""


def say(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)


def title(text: str) -> None:
    say("", text)


def ask[T](question: str, check: Callable[[str], T], default: str | None = None) -> T:
    """What `check` makes of the answer; nothing at all means the default."""
    shown = f"{question} [{default}]: " if default else f"{question}: "
    while True:
        given = input(shown).strip() or (default or "")
        if _CONTROL.search(given):
            say("  There is a control character in it: type the answer, without arrow keys.")
            continue
        try:
            return check(given)
        except (Unfit, CommandError) as bad:
            say(f"  {bad}")


def ask_secret[T](question: str, check: Callable[[str], T]) -> T:
    """The same without showing what is typed."""
    while True:
        try:
            return check(getpass.getpass(f"{question}: "))
        except (Unfit, CommandError) as bad:
            say(f"  {bad}")


def yes(question: str, *, default: bool | None) -> bool:
    """`default` None: it must be said."""

    def check(given: str) -> bool:
        if given.lower() in {"y", "yes"}:
            return True
        if given.lower() in {"n", "no"}:
            return False
        raise Unfit("Answer y or n.")

    return ask(f"{question} (y/n)", check, None if default is None else "y" if default else "n")


def one_of(words: Iterable[str]) -> Callable[[str], str]:
    allowed = tuple(words)

    def check(given: str) -> str:
        if given not in allowed:
            raise Unfit(f"Answer one of: {', '.join(allowed)}.")
        return given

    return check


def filled(what: str) -> Callable[[str], str]:
    def check(given: str) -> str:
        if not given:
            raise Unfit(f"{what} cannot be empty.")
        return given

    return check
