"""Feedback: mail to whoever asked something of a trust centre: the one letter that asks to confirm it, and the answer
that staff wrote. Nothing that was typed on a public form is in the first: nobody makes Troth carry words to a stranger.
"""

from datetime import datetime, timedelta
from types import MappingProxyType

import structlog

from troth.flow.feedback.correspondence import (
    CATEGORY,
    NOBODY_WRITES,
    Desk,
    Mailer,
    Outcome,
    Post,
    post,
    post_all,
    told,
)
from troth.flow.gate.asks import EmailAsked
from troth.keys import ids, places
from troth.keys.installation import Purpose
from troth.mail.address import parse_address
from troth.mail.tokens import make_token
from troth.store import asked as store
from troth.store import gate
from troth.store.connection import Connection

TEMPLATES = MappingProxyType({"confirm": "asked-confirm", "answer": "asked-answer"})
LINKS = MappingProxyType(
    {"confirm": "asked-confirm", "answer": "asked-answer"}
)  # purposes (control/asking/confirming.py)
LASTS = MappingProxyType({"confirm": timedelta(hours=48), "answer": timedelta(days=7)})
_WHAT = MappingProxyType({"question": "question", "documents": "request for documents"})
_NEXT = MappingProxyType({
    "granted": "Until {} the documents can be taken on this page:",
    "": "How it stands is on this page:",
})  # fmt: skip
_MOST, _WORDS = 20, 4_000
_log = structlog.get_logger("troth.asked")


async def tell_all(connection: Connection, mailer: Mailer) -> int:
    """Everything that is to be mailed now; how many the gate took."""
    desk = Desk(_tell, store.letter_done, store.letter_tried, _unsent, "The address or the answer cannot be opened.")
    return await post_all(connection, mailer, await store.letters(connection, _MOST), desk)


def _unsent(due: store.Due, why: str) -> None:
    _log.warning("asked.unsent", asked=str(due.asked), why=why)


async def _tell(connection: Connection, mailer: Mailer, due: store.Due) -> Outcome:
    if due.system is None or due.keyset is None:
        return None, NOBODY_WRITES
    now = await gate.now(connection)
    address = parse_address(mailer.operator.open(due.address_ct, places.asked(due.asked, "address")).decode())
    email = EmailAsked(
        (address.addr_spec,), tags={"category": CATEGORY}, template=TEMPLATES[due.kind],
        headers={"Auto-Submitted": "auto-replied"} if due.kind == "confirm" else {},
        variables=_variables(mailer, due, now), id=ids.uuid7(now),
    )  # fmt: skip
    once = b"asked-letter\0" + due.id.bytes
    return await post(connection, mailer, Post(due.system, due.keyset, address, email, once, "/asked", "asker's"), now)


def _variables(mailer: Mailer, due: store.Due, now: datetime) -> dict[str, str]:
    """What the packs system/asked-confirm and system/asked-answer ask for."""
    key = mailer.deps.secrets.token_keys(Purpose.CASE)[0]
    token = make_token(key, LINKS[due.kind], due.asked.bytes, now + LASTS[due.kind])
    common = {"sender": (due.sender or "")[:120], "what": _WHAT[due.asks], "link": f"{mailer.links}/asked/{token}"}
    if due.kind == "confirm":
        return {**common, "until": told(now + LASTS["confirm"], due.zone or "UTC")}
    assert due.answer_ct is not None
    words = mailer.operator.open(due.answer_ct, places.asked(due.asked, "answer")).decode()
    later = _NEXT["granted"].format(told(due.until, due.zone or "UTC")) if due.until else _NEXT[""]
    return {**common, "reference": due.reference, "words": words[:_WORDS], "next": later}
