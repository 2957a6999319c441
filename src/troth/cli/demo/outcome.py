"""After the demo's river: what became of each message, read through the API as its client can read it."""

from dataclasses import dataclass
from typing import Any

from troth.cli.demo.asks import Ask
from troth.cli.demo.web import Program, Reply

_BEFORE = ("rescheduled", "deferred", "held", "released", "uncertain")
_ONLY_OURS = {"accepted", "claimed", "sending", "queued"}  # in every story, so in no short one


@dataclass(frozen=True, slots=True)
class Outcome:
    """One message. `happened`: its events' types, oldest first; `message_hex`: its id, empty where there is none."""

    recipient: str
    state: str
    reason: str
    happened: tuple[str, ...] = ()
    message_hex: str = ""

    @property
    def told(self) -> str:
        """The events that say something, in short."""
        return " ".join(each for each in self.happened if each not in _ONLY_OURS)


def read(ask: Ask, reply: Reply | None, program: Program) -> dict[str, Outcome]:
    """By row: the problem of a refused request, or each message's state, reason and events."""
    if reply is None:
        return {row: Outcome(address, "not sent", "") for row, address in ask.rows.items()}
    if reply.status >= 400:
        return {row: Outcome(address, "refused", reply.problem) for row, address in ask.rows.items()}
    found = program.ask("GET", f"/emails/{reply.body['id']}")
    if found.status != 200:
        return {row: Outcome(address, "unreadable", found.problem) for row, address in ask.rows.items()}
    messages = {each["recipient"]: each for each in found.body["troth"]["messages"]}
    return {
        row: _message(address, messages[address]) if address in messages else Outcome(address, "missing", "")
        for row, address in ask.rows.items()
    }


def _message(address: str, message: dict[str, Any]) -> Outcome:
    events = message["events"]
    happened = tuple(event["type"] for event in events)
    reason = _taken(happened) if message["state"] in ("sent", "delivered") else _why(message["state"], events)
    return Outcome(address, message["state"], reason, happened, message["id"].rpartition("_")[2])


def _taken(happened: tuple[str, ...]) -> str:
    before = [each for each in _BEFORE if each in happened]
    told = f"taken, {' and '.join(before)} before" if before else "taken"
    return f"{told}, complained after" if "complained" in happened else told


def _why(state: str, events: list[dict[str, Any]]) -> str:
    """What the last event of that name says."""
    details = [event.get("detail", {}) for event in events if event["type"] == state]
    return str(details[-1].get("reason", state)) if details else ""
