"""Feedback: what sort of letter came to a return path: a bounce, a delay, or what only looks like one."""

import re

from troth.mail import feedback_report
from troth.mail.bounce_letter import WORDS, Letter
from troth.mail.bounce_rules import pattern

_KIND = WORDS["kind"]
_OPENING = 4_000  # characters of the notice that tell its sort
_daemon_re = re.compile(_KIND["daemon"], re.IGNORECASE)
_failing_re, _delay_re, _challenge_re, _auto_re, _list_re = (
    re.compile(pattern(_KIND[name]).pattern, re.IGNORECASE)
    for name in ("failing", "delay", "challenge", "auto", "list")
)
_answer_re = re.compile(r"\s*(?:re|aw|sv|antw|odp|rif|res)(?:\[\d+\])?\s*:", re.IGNORECASE)
_AUTO_FIELDS = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-autoreply-from", "x-vacation")


def is_feedback(letter: Letter) -> bool:
    """A complaint (RFC 5965 and its like), which is another reader's."""
    if any(part.type == "message/feedback-report" for part in letter.top.walk()):
        return True
    return not letter.status and feedback_report.read(letter.top).found


def is_delay(letter: Letter) -> bool:
    opening = _opening(letter)
    return _delay_re.search(letter.header("subject")) is not None or _delay_re.search(opening[:1_000]) is not None


def sort(letter: Letter) -> str:
    """bounce, delay, auto-reply, challenge or none, of a letter without machine-readable fields."""
    if letter.header("x-failed-recipients") or _list_re.search(_opening(letter)):
        return _bounce(letter)
    daemon, failing = _is_daemon(letter), _failing(letter)
    if not daemon and _challenge_re.search(f"{letter.header('subject')}\n{_opening(letter)}"):
        return "challenge"
    if _is_auto(letter) and not (daemon and failing) and failing < 2:
        return "auto-reply"
    if not daemon and _answers(letter):
        return "none"
    return _bounce(letter) if failing and daemon + failing >= 2 else "none"


def _answers(letter: Letter) -> bool:
    """Somebody's answer, which may quote a failure."""
    named = letter.header("in-reply-to") or letter.header("references")
    return bool(named) and _answer_re.match(letter.header("subject")) is not None


def _bounce(letter: Letter) -> str:
    return "delay" if is_delay(letter) else "bounce"


def _opening(letter: Letter) -> str:
    return letter.notice[:_OPENING].lower()


def _is_daemon(letter: Letter) -> bool:
    """Written by a mail system, and to nobody's answer."""
    writer, path = letter.header("from"), letter.header("return-path").strip()
    return _daemon_re.search(writer) is not None or path in ("<>", "<MAILER-DAEMON>") or writer.strip() in ("", "<>")


def _failing(letter: Letter) -> int:
    """In how many of subject and text it speaks of a failure."""
    return sum(1 for text in (letter.header("subject").lower(), _opening(letter)) if _failing_re.search(text))


def _is_auto(letter: Letter) -> bool:
    submitted = letter.header("auto-submitted").lower()
    if submitted.startswith("auto-replied") or letter.header("precedence").lower() in ("auto_reply", "auto-reply"):
        return True
    return (
        any(letter.header(name) for name in _AUTO_FIELDS)
        or _auto_re.search(letter.header("subject").lower()) is not None
    )
