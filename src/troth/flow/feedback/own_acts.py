"""Feedback: what a recipient does on the own page, each act one transaction: switches, a report, a copy, an erasure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from troth.flow import events
from troth.flow.feedback import desks_own, held, opt_out
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.opt_out import Entry, Letter
from troth.flow.feedback.own_pages import REASONS, SOURCE, WORDS
from troth.flow.feedback.own_view import Category, Told, View
from troth.flow.gate.recall import opener
from troth.keys import ids, places
from troth.keys.consents import Said
from troth.rules.consent import EXPRESS, WITHDRAWN
from troth.rules.states import Kind
from troth.store import events as store
from troth.store import own
from troth.store.connection import Connection

RIGHT = 1  # as own.erase and own.export answer
_SAVED = "pressed Save on the recipient's own page"
_TICKED = "ticked a box beside a report of abuse on the recipient's own page"


def chosen(shown: Sequence[str], on: Collection[str]) -> dict[str, bool]:
    """What somebody wishes who was shown these boxes and sent these: ids, by whether they are to be on. A box that was
    left as it was shown is no wish.
    """
    states = dict(each.split(":") for each in shown)
    return {id_: id_ in on for id_, state in states.items() if (id_ in on) != (state == "on")}


async def switch(
    deps: Deps, connection: Connection, view: View, wishes: Mapping[str, bool], peer: str, how: str = _SAVED
) -> bool:
    """Make the switches stand as is wished; whether anything changed. how: what was pressed, for the consent ledger."""
    if view.erased or view.row.listed:
        return False
    moved = [each for each in view.categories if wishes.get(str(each.id), each.on) != each.on]
    if not moved:
        return False
    async with connection.transaction():
        [message] = await store.lock_messages(connection, [view.row.id])
        if view.scope == "all" and any(each.on for each in moved):
            said = _said("Switching any of them off stops all email", next(e for e in moved if e.on), (peer, how))
            letter = Letter(message, view.row.client, "", "all")
            await opt_out.carry_out(deps, connection, letter, SOURCE, said)
            return True
        changed = [await _one(deps, connection, view, message, each, (peer, how)) for each in moved]
    return any(changed)


async def _one(
    deps: Deps, connection: Connection, view: View, message: store.MessageRow, each: Category, by: tuple[str, str]
) -> bool:
    """One category to the other side. by: from which address, and what was pressed."""
    move = store.opt_out if each.on else own.opt_in
    moved = await move(connection, tenant=message.tenant_id, index=message.blind_index, category=each.id, source=SOURCE)
    if not moved and (each.on or not each.asks):
        return False
    kind = WITHDRAWN if each.on else EXPRESS
    said = _said("Switched off" if each.on else "Switched on", each, by)
    await opt_out.record(deps, connection, message, Entry(each.id, kind, SOURCE, said), view.now)
    if each.on and each.id == message.category_id:
        told = events.Report(message.id, Kind.UNSUBSCRIBED, opt_out.SOURCE, {"scope": "category"})
        await events.report(connection, [told], view.now, opener(deps.keyring))
    return True


def _said(what: str, each: Category, by: tuple[str, str]) -> Said:
    peer, how = by
    return Said(f"{what}: {each.name}. {each.purpose}", how, peer)


def fault(view: View, told: Told) -> str:
    """What is wrong with a report, or nothing."""
    reason, words = told.reason, told.words
    if told.stop - view.stops.keys():
        return "What can be stopped is something else by now. Look at the boxes again, and send the report once more."
    if reason not in {value for value, _ in REASONS}:
        return "Choose what is wrong: one of the four."
    if len(words) > WORDS:
        return f"{WORDS:,} characters are the most; shorten what you wrote."
    return ""


async def report(deps: Deps, connection: Connection, view: View, told: Told, peer: str) -> bool:
    """For a person to look at, once a message; and what was ticked with it is switched off: whether anything was."""
    assert view.key is not None
    made = ids.uuid7(view.now)
    sealed = view.key.seal(msgspec.json.encode({"reason": told.reason, "words": told.words}), places.abuse(made))
    wishes = {str(each): False for name in told.stop for each in view.stops[name]}
    async with connection.transaction():
        if await own.report_abuse(connection, made, view.row.id, sealed):
            await desks_own.open_case(connection, view)
        return await switch(deps, connection, view, wishes, peer, _TICKED)


async def copy(connection: Connection, view: View, code: UUID, hash_: bytes) -> dict[str, Any] | int:
    """All that is held, and the ledger is told that it was taken; else why not, as own.export says it."""
    async with connection.transaction():
        proven = await own.export(connection, view.row.id, code, hash_)
        return await held.document(connection, view) if proven == RIGHT else proven


async def erase(connection: Connection, view: View, code: UUID, hash_: bytes) -> int:
    return await own.erase(connection, view.row.id, code, hash_)
