"""Claims: what the events tell of bounces and retries, beside what the suppression list says of the same addresses."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from troth.control.trust import sample
from troth.control.trust.look import Look, Programme, Tenant
from troth.control.trust.sample import Event, Message
from troth.rules.states import Kind

HARD, SOFT_SPENT = 1, 6  # suppression.reason
_LISTED = "SELECT blind_index, reason, source, created_at FROM suppression WHERE blind_index = ANY(%s)"


def bounce(message: Message, reason: str) -> list[Event]:
    """Its bounces for this reason: 'hard', 'soft_spent', or a kind of failure."""
    return [
        each for each in message.told(Kind.BOUNCED) if each.detail is not None and each.detail.get("reason") == reason
    ]


def attempt(event: Event) -> int:
    """The attempt's number; 0 where the event is of none. A report from outside names it in its detail."""
    name, _, number = event.source_key.partition(":")
    if name == "attempt":
        return int(number) if number.isdecimal() else 0
    told = event.detail.get("attempt") if event.detail is not None else None
    return told if isinstance(told, int) else 0


def suppressed(look: Look, tenant: Tenant, indexes: Sequence[bytes]) -> dict[tuple[bytes, int, str], datetime]:
    """(blind index, reason, source) -> when, of this client's own suppressions."""
    with look.of(tenant.id) as connection:
        rows = connection.execute(_LISTED, (list(indexes),)).fetchall()
    return {(bytes(index), reason, source): at for index, reason, source, at in rows}


def unreadable(look: Look, programme: Programme) -> Iterator[str]:
    """Bounces and deferrals that do not open, or are not what was sealed; the erased people's may be shut."""
    for tenant in look.of_programme(programme):
        for message in sample.messages(look, tenant):
            for event in message.told(Kind.BOUNCED, Kind.DEFERRED):
                if event.why and not message.erased:
                    yield f"message {message.id}: a {event.kind.name.lower()} event cannot be read: {event.why}"
