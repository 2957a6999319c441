"""Around the river: the relay's webhooks, composed: the keys of Mailgun's signatures, SES's topics, the way to SNS."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import structlog

from troth.flow.feedback.relay_pages import Relays
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.outside.guarded_url import Guard, networks
from troth.outside.sns import Sns
from troth.settings import Settings

_log = structlog.get_logger("troth.door")
_SECONDS = 8.0  # for SNS to answer: the relay waits for us meanwhile
_LOCAL = ("127.0.0.0/8", "::1/128")
LEAST = 16  # characters of a key


class KeysAway(TimeoutError):  # noqa: N818 - reads as what happened
    """The file of keys cannot be read just now: whoever calls comes again."""


@dataclass(slots=True)
class KeyFile:
    """Keys, one a line; `#` begins a remark. Read anew when the file changes, so that a rotation needs no restart."""

    path: Path | None
    _seen: tuple[int, int, int] = (0, 0, 0)
    _keys: tuple[bytes, ...] = field(default=(), repr=False)

    def __call__(self) -> tuple[bytes, ...]:
        if self.path is None:
            return ()
        try:
            now = self.path.stat()
            seen = (now.st_mtime_ns, now.st_size, now.st_ino)
            if seen != self._seen:
                self._keys = keys_of(self.path.read_text(encoding="utf-8"))
                self._seen = seen
        except (OSError, UnicodeDecodeError) as trouble:
            _log.error("relay.keys_away", path=str(self.path), why=type(trouble).__name__)
            raise KeysAway from None
        return self._keys


def keys_of(text: str) -> tuple[bytes, ...]:
    """Those that are long enough to be keys."""
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    return tuple(line.encode() for line in lines if len(line) >= LEAST)


def relays(settings: Settings) -> Relays:
    return Relays(
        KeyFile(settings.mailgun_signing_key_file),
        frozenset(settings.ses_topics),
        Sns(client(settings, settings.sns_test_origin), settings.sns_test_origin),
        timedelta(minutes=settings.mailgun_webhook_minutes),
    )


def client(settings: Settings, test_origin: str | None) -> GuardedClient:
    """To a provider over TLS; a test's own stands on this machine, with its own authority."""
    resolver = Resolver(settings.dns_resolvers)
    if test_origin is None:
        return GuardedClient(resolver, Guard(), seconds=_SECONDS)
    authority = str(settings.sns_test_ca_file) if settings.sns_test_ca_file else None
    guard = Guard(networks(_LOCAL))
    return GuardedClient(resolver, guard, ssl.create_default_context(cafile=authority), _SECONDS)
