"""The desks: /.well-known/security.txt (RFC 9116): whom to tell of a weakness, and until when it may be believed. Pure:
the signature round it is outside/openpgp.py's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

LASTS = timedelta(days=180)  # RFC 9116 2.5.5: less than a year; counted from today, so never past


@dataclass(frozen=True, slots=True)
class About:
    """`host`: scheme and host of where it is served. `mail`: the desk's address, "" where no mail is taken."""

    host: str
    mail: str = ""
    languages: Sequence[str] = ("en",)
    encryption: str = ""
    policy: str = ""


def document(about: About, now: datetime) -> str:
    """The fields in the order of RFC 9116 2.5's importance to a reader; the same all day long, in LF lines."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    page = f"{about.host}/security"
    lines = [
        "# Found a weakness? Please tell us. What happens then, and by when, is on the page.",
        *([f"Contact: mailto:{about.mail}"] if about.mail else []),
        f"Contact: {page}",
        f"Expires: {(today + LASTS):%Y-%m-%dT%H:%M:%SZ}",
        *([f"Encryption: {about.encryption}"] if about.encryption else []),
        f"Acknowledgments: {page}#thanks",
        f"Preferred-Languages: {', '.join(about.languages)}",
        f"Canonical: {about.host}/.well-known/security.txt",
        f"Policy: {about.policy or page}",
    ]
    return "\n".join(lines) + "\n"
