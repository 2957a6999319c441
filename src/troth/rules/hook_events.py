"""After the river's events: what an endpoint is told of them: the closed list of webhook types, one a kind of event.

Names that Resend has mean what they mean there; the others are ours. A kind without a type is silent, and says why.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from troth.rules.states import Kind

TEST_KIND = 0  # no event of a message: what `troth webhook test` sends
TEST_TYPE = "webhook.test"


@dataclass(frozen=True, slots=True)
class Told:
    """A type as its payload names it; `resend`: Resend has the same one."""

    type: str
    meaning: str
    resend: bool = False


@dataclass(frozen=True, slots=True)
class Silent:
    """Why endpoints hear nothing of this kind."""

    why: str


WEBHOOKS: MappingProxyType[Kind, Told | Silent] = MappingProxyType(
    {
        Kind.ACCEPTED: Silent("The program that asked has the same word already: the 2xx with the email's id."),
        Kind.QUEUED: Silent("A step inside of Troth: what comes of it is told."),
        Kind.HELD: Told("email.held", "A check keeps it back, until a time or for review by two people."),
        Kind.RELEASED: Told("email.released", "Two people let a held message go."),
        Kind.SUPPRESSED: Told("email.suppressed", "Its recipient may not be mailed; nothing was sent.", resend=True),
        Kind.CANCELLED: Told("email.canceled", "Withdrawn before it was sent."),
        Kind.EXPIRED: Told("email.expired", "Its lifetime ended while it waited; nothing was sent."),
        Kind.SENT: Told("email.sent", "The next hop took it.", resend=True),
        Kind.DEFERRED: Told("email.delivery_delayed", "A temporary failure; it is tried again.", resend=True),
        Kind.DELIVERED: Told("email.delivered", "The recipient's mail exchanger took it.", resend=True),
        Kind.BOUNCED: Told("email.bounced", "Refused for good, by the next hop or in a later report.", resend=True),
        Kind.UNCERTAIN: Told("email.uncertain", "The answer was lost mid-send: it may have been taken."),
        Kind.FAILED: Told("email.failed", "It could not be sent, through no fault of the address.", resend=True),
        Kind.COMPLAINED: Told("email.complained", "The recipient called it unwanted.", resend=True),
        Kind.UNSUBSCRIBED: Told("email.unsubscribed", "The recipient opted out by the link in the message."),
        Kind.RESCHEDULED: Told("email.rescheduled", "A scheduled message was given another time."),
        Kind.CLAIMED: Silent("A worker's inner step; nothing is on the wire."),
        Kind.SENDING: Silent("A worker's inner step; its outcome is told."),
        Kind.RETURNED: Silent("A worker's inner step: nothing was on the wire."),
    }
)
# What happens to a recipient, whom no message need be about; the numbers are person_event's.
RECIPIENTS: MappingProxyType[int, Told] = MappingProxyType(
    {
        31: Told("recipient.verified", "A recipient confirmed, at first or anew: mail may go to them."),
        32: Told("recipient.expired", "A recipient's verification ended: mail to them is refused until it is renewed."),
        33: Told("recipient.erased", "A recipient was erased: nothing can be sent to them."),
    }
)
# What happens to a client's sending as a whole; `message_id` names the anomaly.
SENDING: MappingProxyType[int, Told] = MappingProxyType(
    {
        41: Told("sending.unusual", "The watch found something unusual, and slowed or stopped the client's sending."),
        42: Told("sending.resumed", "Two people let a client send again that the watch had slowed or stopped."),
    }
)
_OTHERS: MappingProxyType[int, Told] = MappingProxyType({**RECIPIENTS, **SENDING})
TYPES: MappingProxyType[str, int] = MappingProxyType(
    {told.type: int(kind) for kind, told in (*WEBHOOKS.items(), *_OTHERS.items()) if isinstance(told, Told)}
)
ALL_KINDS: tuple[int, ...] = tuple(sorted(TYPES.values()))


def meaning_of(name: str) -> str:
    """When a type of the list is told, in a sentence."""
    kind = TYPES[name]
    told = _OTHERS.get(kind) or WEBHOOKS[Kind(kind)]
    assert isinstance(told, Told)
    return told.meaning


def type_of(kind: int) -> str | None:
    """The type of an event's kind; None for a silent one."""
    if kind == TEST_KIND:
        return TEST_TYPE
    if kind in _OTHERS:
        return _OTHERS[kind].type
    told = WEBHOOKS[Kind(kind)]
    return told.type if isinstance(told, Told) else None


def kinds_of(types: Iterable[str]) -> tuple[int, ...]:
    """The kinds behind these types, sorted; ValueError names the first that is not on the list."""
    found = set()
    for name in types:
        if name not in TYPES:
            raise ValueError(name)
        found.add(TYPES[name])
    return tuple(sorted(found))


def types_of(kinds: Iterable[int]) -> tuple[str, ...]:
    """The types of an endpoint's kinds, in the list's order."""
    wanted = set(kinds)
    return tuple(name for name, kind in TYPES.items() if kind in wanted)


def webhooks_markdown() -> str:
    """The list as a table (Markdown), for docs/webhooks.md."""
    rows = ["| type | event | when | as in Resend |", "|---|---|---|---|"]
    silent = ["| event | why endpoints hear nothing of it |", "|---|---|"]
    for kind, told in WEBHOOKS.items():
        name = kind.name.lower()
        if isinstance(told, Told):
            rows.append(f"| `{told.type}` | {name} | {told.meaning} | {'yes' if told.resend else 'ours'} |")
        else:
            silent.append(f"| {name} | {told.why} |")
    rows += [f"| `{told.type}` | | {told.meaning} | ours |" for told in _OTHERS.values()]
    rows.append(f"| `{TEST_TYPE}` | | `troth webhook test` sent it; it is about no message. | ours |")
    return "\n".join([*rows, "", *silent]) + "\n"
