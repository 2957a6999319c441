"""People with access: the mail with which somebody comes in: a link that serves once, for 24 hours, to set a password.

It goes out when the second person has approved (`after` stands round the page of a change), and again on demand.
"""

import json
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponseBase

from troth.control.audit.asking import row
from troth.control.people import mailing
from troth.control.people.actor import Actor, actor_of

type View = Callable[..., HttpResponseBase]

TEMPLATE = "invitation"
_WRITES = "SELECT 1 FROM troth.account_mail_v1(%s)"
_GIVEN = """
SELECT c.subject, c.artefact FROM troth.change c JOIN troth.login l ON l.account_id = c.subject
WHERE c.id = %s AND c.kind = 'grant' AND c.state = 2 AND l.set_at IS NULL
"""
_CLIENT = "SELECT t.name FROM troth.account a JOIN troth.tenant t ON t.id = a.tenant_id WHERE a.id = %s"


def reachable(account: UUID) -> bool:
    """Whether a system tenant writes to this account; else its link is made on the server (`troth person invite`)."""
    return row(_WRITES, account) is not None


def send(actor: Actor, account: UUID, role: str) -> None:
    """Queue the mail, which alone holds its link: both are made once this request is committed."""
    client = row(_CLIENT, account)
    mailing.invite(account, TEMPLATE, {
        "where": client[0][:120] if client else "the operator’s staff",
        "role": role,
        "by": actor.name[:120],
    })  # fmt: skip


def after(view: View) -> View:
    """Round the page on which a change is approved: who got access by it, and has no password yet, is invited."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **given: Any) -> HttpResponseBase:
        response = view(request, *args, **given)
        if request.method == "POST" and response.status_code < HTTPStatus.BAD_REQUEST and "change" in given:
            approved(actor_of(request), given["change"])
        return response

    return answered


def approved(actor: Actor, change: UUID) -> None:
    """Nothing for a change of another kind, one that ends access or is not approved, and people who have a password."""
    found = row(_GIVEN, change)
    if found is not None:
        artefact = json.loads(found[1])
        if not artefact.get("retired") and reachable(found[0]):
            send(actor, found[0], artefact["role"])
