"""Templates: a test of an approved version to one's own address. It enters at the sending door like all mail, as the
client's own, with the version named: the gate asks of it what it asks of every mail, so an unapproved or stopped
version cannot be sent this way either (CHG-6).

The pages send with the client's key `pages`, which two people approve once (`troth key system`). How a draft looks
nobody needs a mail for: the editor shows it.
"""

import http.client
import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.conf import settings

from troth.control.audit.asking import row
from troth.control.people.actor import Actor
from troth.keys import places

_PATIENCE = 10.0  # seconds: somebody waits before the page
_ADDRESS = "SELECT address_ct FROM troth.account WHERE id = %s"
_AWAY = "The sending door does not answer: nothing was sent. Try again in a moment."
_NO_KEY = (
    "This client has no key for the pages: nothing was sent. Two people approve one, which troth key system "
    "--tests proposes."
)
_log = logging.getLogger("troth.templates")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the door said, in a sentence for the page."""

    taken: bool
    sentence: str


def own_address(account: UUID) -> str:
    """Empty for an account that is closed."""
    found = row(_ADDRESS, account)
    if found is None:
        return ""
    sealed = bytes(found[0])
    return str(settings.TROTH_KEYS().operator.open(sealed, places.account(account, "address")).decode())


def send(actor: Actor, template: str, variables: dict[str, Any]) -> Outcome:
    """`template`: with its version, as `rent-due@3`; to the address of whoever asks and to nobody else."""
    address = own_address(actor.account_id)
    if actor.scope is None or not address:
        return Outcome(taken=False, sentence="There is no address of yours to send to.")
    mail = {"to": [address], "template": {"id": template, "variables": variables}}
    headers = {
        "Authorization": f"Bearer {settings.TROTH_SEND_KEY(actor.scope)}",
        "Content-Type": "application/json",
        "Idempotency-Key": uuid4().hex,
    }
    door = urlsplit(settings.TROTH_DOOR_URL)
    there = http.client.HTTPConnection(door.hostname or "", door.port, timeout=_PATIENCE)
    try:
        there.request("POST", "/emails", json.dumps(mail), headers)
        answer = there.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as trouble:
        _log.warning("a test mail was not handed over: %s", type(trouble).__name__)
        return Outcome(taken=False, sentence=_AWAY)
    finally:
        there.close()
    return _outcome(answer.status, said)


def _outcome(status: int, said: bytes) -> Outcome:
    if status < HTTPStatus.BAD_REQUEST:
        return Outcome(
            taken=True, sentence="The test is on its way to your own address, through every check that all mail passes."
        )
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return Outcome(taken=False, sentence=_NO_KEY)
    try:
        words = str(json.loads(said)["detail"])
    except (ValueError, KeyError, TypeError):
        return Outcome(taken=False, sentence=_AWAY)
    return Outcome(taken=False, sentence=f"The gate refused the test, as it would refuse any such mail: {words}")
