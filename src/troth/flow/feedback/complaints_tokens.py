"""Feedback: which message of ours a report is about: by a token of ours in what it gives back, and by nothing else.

Every message carries signed ones in its header: its return path (Return-Path, Original-Mail-From, what a relay echoes)
and its opt-out link and address (List-Unsubscribe). Links in texts do not count: whoever quotes or forwards a mail
carries them on.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from uuid import UUID

from troth.keys.installation import InstallationSecrets, Purpose
from troth.mail.feedback_report import FeedbackReport
from troth.mail.own_link import token_of
from troth.mail.tokens import TokenError, read_token, verp_read

_ID = 16  # octets; a token of ours that holds more is another kind's
_TRIED = 200  # tokens of one report
_STATED = frozenset({"original-mail-from"})  # fields of the report itself
_RETURNED = frozenset({
    "return-path", "list-unsubscribe", "feedback-id", "message-id", "x-mailgun-variables", "x-ses-message-tags",
})  # fmt: skip
_verp_re = re.compile(r"(?<![A-Za-z0-9])b[a-z0-9][a-z2-7]{56}(?=@|\b)", re.IGNORECASE)
_stop_re = re.compile(r"stop\+[a-z2-7]{27,59}(?=@|%40)", re.IGNORECASE)
_unsubscribe_re = re.compile(r"/u/([A-Za-z0-9_-]{27,200})")


def message_of(secrets: InstallationSecrets, report: FeedbackReport, now: datetime) -> UUID | None:
    """None where no token of ours is in it, or only forged and expired ones."""
    return next((each for each in islice(_read(secrets, report, now), _TRIED) if each is not None), None)


def _read(secrets: InstallationSecrets, report: FeedbackReport, now: datetime) -> Iterator[UUID | None]:
    for text in _places(report):
        for found in _verp_re.finditer(text):
            yield _verp(secrets, found[0], now)
        for found in _stop_re.finditer(text):
            yield _token(secrets, token_of(found[0]) or "", now)
        for found in _unsubscribe_re.finditer(text):
            yield _token(secrets, found[1], now)


def _places(report: FeedbackReport) -> Iterator[str]:
    for name, value in report.fields:
        if name.lower() in _STATED:
            yield value
    for name, value in report.returned.fields:
        if name.lower() in _RETURNED:
            yield value


def _verp(secrets: InstallationSecrets, local: str, now: datetime) -> UUID | None:
    try:
        return verp_read(secrets.token_keys(Purpose.VERP), local, now)
    except TokenError:
        return None


def _token(secrets: InstallationSecrets, token: str, now: datetime) -> UUID | None:
    try:
        payload = read_token(secrets.token_keys(Purpose.UNSUBSCRIBE), Purpose.UNSUBSCRIBE, token, now)
    except TokenError:
        return None
    return UUID(bytes=payload) if len(payload) == _ID else None
