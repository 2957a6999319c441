"""The command line's words for a receipt that was verified: what was proved, and what is the signer's word alone."""

from pathlib import Path
from typing import Any

from troth.cli.words import show
from troth.ledger.receipt_check import Verified, verify


def show_verified(file: Path, key: str | None, *, json_wanted: bool) -> int:
    """Print what was found; raise Found, CannotVerify, OSError."""
    verified = verify(file.read_bytes(), key)
    show(
        _value(verified, key_given=key is not None),
        json_wanted=json_wanted,
        text=_lines(verified, key_given=key is not None),
    )
    return 0


def _value(verified: Verified, *, key_given: bool) -> dict[str, Any]:
    receipt = verified.receipt
    return {
        "ok": True, "email": receipt.email.id, "messages": [message.id for message in receipt.messages],
        "states": [message.state for message in receipt.messages], "events": verified.events, "opened": verified.opened,
        "detailed": verified.detailed, "decided": verified.decided, "erased": verified.erased,
        "versions": {version.role: version.version for version in receipt.versions},
        "size": verified.checkpoint.size, "at": verified.checkpoint.at, "key": receipt.vkey, "key_given": key_given,
    }  # fmt: skip


def _lines(verified: Verified, *, key_given: bool) -> list[str]:
    receipt, checkpoint = verified.receipt, verified.checkpoint
    ledger = f"the ledger of {checkpoint.size:,} entries of {checkpoint.at:%Y-%m-%d %H:%M:%S} UTC"
    names = ", ".join(f"{version.role} {version.code} version {version.version}" for version in receipt.versions)
    head = f"OK: signed and whole. {_counted(len(receipt.messages), 'message')} of the email {receipt.email.id}"
    return [
        f"{head}, with {_counted(verified.events, 'event')} in {ledger}.",
        *(f"  {message.id}: {message.state}, {_story(message.events)}" for message in receipt.messages),
        f"Approved versions: {names}." if names else "No approved version is named.",
        *_proved(verified),
        f"Key: {receipt.vkey} ({'the one given' if key_given else 'the receipt says so itself; --key checks that'})",
    ]


def _proved(verified: Verified) -> list[str]:
    """What is proved, and what is not."""
    said = []
    if verified.opened == verified.events:
        said.append("Message, kind and time of every event are proved.")
    else:
        hidden = verified.events - verified.opened
        said.append(f"Of {_counted(hidden, 'event')} the hash alone is proved; kind and time are the signer's word.")
    messages = len(verified.receipt.messages)
    if verified.decided == messages:
        said.append("The decision, the recipient and the versions are those that the ledger was told of.")
    elif verified.erased:
        said.append(
            f"{_counted(verified.erased, 'recipient')} erased: what was said to whom is gone, its hashes stand."
        )
    else:
        said.append(f"The decision is proved for {verified.decided} of {messages}.")
    return said


def _story(events: list[Any]) -> str:
    return ", ".join(event.kind for event in events)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
