"""The pages' shell, its menu: what somebody may open, in groups, with the letter that leads there after G."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from troth.control.audit.asking import rows
from troth.control.people import permissions
from troth.control.people.permissions import Asker


@dataclass(frozen=True, slots=True)
class Item:
    """`key`: the `section` of its pages. `may`: any of these rights shows it."""

    href: str
    name: str
    key: str
    picture: str
    letter: str
    may: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """`name` is empty for the first."""

    name: str
    items: tuple[Item, ...]


_RECORDS = ("change-log:read", "access-log:read", "request-log:read")
_ALL = (
    Group("", (
        Item("/", "Today", "home", "i-today", "t", ("home:read",)),
        Item("/messages", "Messages", "messages", "i-message", "m", ("message:read",)),
        Item("/changes", "Changes", "changes", "i-change", "c", ("change:read",)),
        Item("/limits", "Limits", "limits", "i-limit", "y", ("home:read",)),
        Item("/anomalies", "Unusual volumes", "anomalies", "i-volume", "u", ("home:read",)),
        Item("/incidents", "Cases", "incidents", "i-incident", "x", ("incident:read",)),
        Item("/letters", "Letters", "letters", "i-message", "j", ("letter:list",)),
        Item("/complaints", "Complaints", "complaints", "i-complaint", "g", ("complaint:read",)),
        Item("/feedback-loops", "Feedback loops", "feedback-loops", "i-webhook", "h", ("loop:read",)),
        Item("/services", "Served otherwise", "services", "i-message", "q", ("service:read",)),
        Item("/abuse", "Recipients’ reports", "abuse", "i-abuse", "z", ("abuse:read",)),
    )),
    Group("Governed", (
        Item("/categories", "Categories", "categories", "i-category", "e", ("category:read",)),
        Item("/templates", "Templates", "templates", "i-template", "v", ("template:read",)),
        Item("/policies", "Policies", "policies", "i-policy", "o", ("policy:read",)),
        Item("/recipients", "Recipients", "recipients", "i-recipient", "a", ("recipient:read",)),
        Item("/suppressions", "Suppressions", "suppressions", "i-suppress", "s", ("suppression:read",)),
        Item("/domains", "Domains", "domains", "i-domain", "d", ("domain:read",)),
        Item("/dmarc", "DMARC reports", "dmarc", "i-domain", "f", ("dmarc:read",)),
        Item("/keys", "API keys", "keys", "i-key", "k", ("api-key:read",)),
        Item("/webhooks", "Webhooks", "webhooks", "i-webhook", "w", ("webhook:read",)),
    )),
    Group("People", (
        Item("/people", "People", "people", "i-recipient", "p", ("person:read",)),
        Item("/reviews", "Access reviews", "reviews", "i-review", "r", ("review:read",)),
        Item("/designation", "Named individuals", "designation", "i-recipient", "i", ("category:read",)),
        Item("/sign-on", "Sign-on", "sign-on", "i-door", "n", ("sign-on:read",)),
    )),
    Group("Proof", (
        Item("/claims", "Promises", "claims", "i-trust", "2", ("claim:read",)),
        Item("/evidence", "Evidence", "evidence", "i-review", "3", ("evidence:read",)),
        Item("/calendar", "Calendar", "calendar", "i-today", "4", ("calendar:read",)),
        Item("/trust-page", "Own trust page", "trust-page", "i-trust", "5", ("trust-page:read",)),
        Item("/ledger", "Ledger", "ledger", "i-ledger", "l", ("ledger:read",)),
        Item("/records", "Records", "records", "i-record", "b", _RECORDS),
        Item("/audits", "Audits", "audits", "i-record", "1", ("audit:read",)),
    )),
)  # fmt: skip


def menu(actor: Asker) -> list[Group]:
    """What this person may open where they look now; groups of nothing are left out."""
    found = [Group(group.name, tuple(_allowed(group.items, actor))) for group in _ALL]
    return [group for group in found if group.items]


def _allowed(items: tuple[Item, ...], actor: Asker) -> Iterator[Item]:
    names = permissions.names_individuals(actor.profile)  # else that page has nothing to tell
    return (
        item for item in items
        if any(opens(actor, action) for action in item.may) and (names or item.key != "designation")
    )  # fmt: skip


def opens(actor: Asker, action: str) -> bool:
    """Staff who look at no client in particular may open a client's page, to be asked which."""
    if permissions.allowed(actor, action):
        return True
    return actor.tenant_id is None and actor.scope is None and _somewhere(actor, action)


def waiting(actor: Asker, human: UUID) -> int:
    """How many open changes wait for this person: what they may approve, here or, of staff, at any client."""
    if not permissions.allowed(actor, "change:read"):
        return 0
    counted = rows("SELECT kind, n FROM troth.house_waiting_v1(%s)", human)
    return sum(n for kind, n in counted if _may_approve(actor, kind))


def _may_approve(actor: Asker, kind: str) -> bool:
    action = f"{kind}:approve"
    if actor.scope is not None:
        return action in permissions.actions() and permissions.allowed(actor, action)
    return _somewhere(actor, action)


def _somewhere(actor: Asker, action: str) -> bool:
    return any(cell.action == action and cell.role == actor.role for cell in permissions.permissions().values())
