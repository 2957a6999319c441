"""Feedback: what a recipient does on the own page, each act one transaction: switches, a report, a copy, an erasure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from troth.flow import events
from troth.flow.feedback import held, opt_out
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.opt_out import Entry, Letter
from troth.flow.feedback.own_pages import REASONS, WORDS
from troth.flow.feedback.own_view import Category, View
from troth.flow.gate.recall import opener
from troth.keys import ids, places
from troth.keys.consents import Said
from troth.rules.consent import EXPRESS, WITHDRAWN
from troth.rules.states import Kind
from troth.store import events as store
from troth.store import own
from troth.store.connection import Connection

SOURCE = "own-page"


def chosen(shown: Sequence[str], on: Collection[str]) -> dict[str, bool]:
    """What somebody wishes who was shown these boxes and sent these: ids, by whether they are to be on. A box that was
    left as it was shown is no wish.
    """
    states = dict(each.split(":") for each in shown)
    return {id_: id_ in on for id_, state in states.items() if (id_ in on) != (state == "on")}


async def switch(deps: Deps, connection: Connection, view: View, wishes: Mapping[str, bool], peer: str) -> bool:
    """Make the switches stand as is wished; whether anything changed."""
    if view.erased or view.row.listed:
        return False
    moved = [each for each in view.categories if wishes.get(str(each.id), each.on) != each.on]
    if not moved:
        return False
    async with connection.transaction():
        [message] = await store.lock_messages(connection, [view.row.id])
        if view.scope == "all" and any(each.on for each in moved):
            said = _said("Switching any of them off stops all email", next(e for e in moved if e.on), peer)
            letter = Letter(message, view.row.client, "", "all")
            await opt_out.carry_out(deps, connection, letter, SOURCE, said)
            return True
        changed = [await _one(deps, connection, view, message, each, peer) for each in moved]
    return any(changed)


async def _one(
    deps: Deps, connection: Connection, view: View, message: store.MessageRow, each: Category, peer: str
) -> bool:
    """One category to the other side."""
    move = store.opt_out if each.on else own.opt_in
    moved = await move(connection, tenant=message.tenant_id, index=message.blind_index, category=each.id, source=SOURCE)
    if not moved and (each.on or not each.asks):
        return False
    kind = WITHDRAWN if each.on else EXPRESS
    said = _said("Switched off" if each.on else "Switched on", each, peer)
    await opt_out.record(deps, connection, message, Entry(each.id, kind, SOURCE, said), view.now)
    if each.on and each.id == message.category_id:
        told = events.Report(message.id, Kind.UNSUBSCRIBED, opt_out.SOURCE, {"scope": "category"})
        await events.report(connection, [told], view.now, opener(deps.keyring))
    return True


def _said(what: str, each: Category, peer: str) -> Said:
    return Said(f"{what}: {each.name}. {each.purpose}", "pressed Save on the recipient's own page", peer)


def fault(reason: str, words: str) -> str:
    """What is wrong with a report, or nothing."""
    if reason not in {value for value, _ in REASONS}:
        return "Choose what is wrong: one of the four."
    if len(words) > WORDS:
        return f"{WORDS:,} characters are the most; shorten what you wrote."
    return ""


async def report(connection: Connection, view: View, reason: str, words: str) -> bool:
    """For a person to look at; False when this message was reported before."""
    assert view.key is not None
    made = ids.uuid7(view.now)
    sealed = view.key.seal(msgspec.json.encode({"reason": reason, "words": words}), places.abuse(made))
    return await own.report_abuse(connection, made, view.row.id, sealed)


async def copy(connection: Connection, view: View) -> dict[str, Any]:
    """All that is held; the ledger is told that it was taken."""
    async with connection.transaction():
        at = await own.export(connection, view.row.id)
        return await held.document(connection, view, at)


async def erase(connection: Connection, view: View) -> bool:
    """False when that was done before."""
    return await own.erase(connection, view.row.id)
