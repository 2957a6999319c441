"""People: one mail of Troth's own, handed to the sending door like anybody's: with a key, and once, however often it
takes to hand it over.
"""

import http.client
import json
import logging
import time
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.conf import settings

CATEGORY = "security-notice"  # the only one that the system tenant's key may send; see cli/system_key.py
_PATIENCE = 15.0  # seconds
_PAUSES = (0.0, 2.0, 10.0)  # seconds before each attempt: a door that starts anew is away for a moment
_log = logging.getLogger("troth.people")


@dataclass(frozen=True, slots=True)
class Letter:
    """`template`: an approved one of the category security-notice. `system`: the tenant that sends it."""

    system: UUID
    address: str = field(repr=False)
    template: str
    variables: dict[str, str] = field(repr=False)


def post(letter: Letter) -> None:
    """POST /emails, with the system tenant's own key; a door that does not answer is asked again, and takes it once."""
    headers = {
        "Authorization": f"Bearer {settings.TROTH_SEND_KEY(letter.system)}",
        "Content-Type": "application/json",
        "Idempotency-Key": uuid4().hex,
    }
    trouble = ""
    for pause in _PAUSES:
        time.sleep(pause)
        trouble, again = _attempt(_body(letter), headers)
        if not again:
            break
    if trouble:
        _log.error("the door did not take a %s mail: %s", letter.template, trouble)


def _body(letter: Letter) -> str:
    return json.dumps({
        "to": [letter.address],
        "tags": [{"name": "category", "value": CATEGORY}],
        "template": {"id": letter.template, "variables": letter.variables},
    })  # fmt: skip


def _attempt(body: str, headers: dict[str, str]) -> tuple[str, bool]:
    """What went wrong, if anything, and whether another attempt may mend it."""
    door = urlsplit(settings.TROTH_DOOR_URL)
    there = http.client.HTTPConnection(door.hostname or "", door.port, timeout=_PATIENCE)
    try:
        there.request("POST", "/emails", body, headers)
        answer = there.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as trouble:
        return type(trouble).__name__, True
    finally:
        there.close()
    if answer.status < HTTPStatus.BAD_REQUEST:
        return "", False
    return _problem(said, answer.status), answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _problem(body: bytes, status: int) -> str:
    """The problem's type alone: its sentence may name the address."""
    try:
        return str(json.loads(body)["type"]).rpartition("/")[2]
    except (ValueError, KeyError, TypeError):
        return str(status)
