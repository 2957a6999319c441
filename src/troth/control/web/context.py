"""The pages' shell in every template: who looks, at which client, in which colours."""

from typing import Any

from django.db import transaction
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from troth.control.people.actor import Actor, scoped
from troth.control.people.nudging import nudge
from troth.control.tenants import menu as clients
from troth.control.web.menu import menu, waiting

THEMES = ("light", "dark")
THEME_COOKIE = "troth_look"
_MOST = 12  # clients in the menu; the page of all has the rest


def shell(request: HttpRequest) -> dict[str, Any]:
    """`actor`, `menu`, `waiting`, `client` (the one that staff look at), `clients` (the first few), `theme`."""
    actor = getattr(request, "actor", None)
    theme = request.COOKIES.get(THEME_COOKIE, "")
    found: dict[str, Any] = {"actor": actor, "theme": theme if theme in THEMES else ""}
    if actor is not None:
        found["nudge"] = nudge(request, actor)
        found["menu"] = SimpleLazyObject(lambda: menu(actor))
        found["waiting"] = SimpleLazyObject(lambda: _waiting(actor))
    if actor is not None and actor.staff:
        found["client"] = clients.one(actor.scope) if actor.scope else None
        found["clients"] = SimpleLazyObject(lambda: clients.named("", 0, _MOST))
    return found


def _waiting(actor: Actor) -> int:
    """Where the actor looks, on a page without a transaction, too: outside of one, every client's would be counted."""
    with transaction.atomic():
        scoped(actor.scope)
        return waiting(actor, actor.human_id)
