"""The command line's words for a trust document or an auditor's bundle that was verified: what was proved, and what is
the signer's word alone.
"""

import argparse
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from troth.cli.words import show
from troth.ledger import archive, bundle_check, trust_check, trust_document, trust_file
from troth.ledger.leaf import microseconds
from troth.ledger.verify import Found

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(text: str) -> datetime:
    """A time of an argument; one that names no zone is UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a day or a time, such as 2027-01-31") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def show_trust(file: Path, asked: trust_check.Asked, *, json_wanted: bool) -> int:
    """Print what was found; raise Found, CannotVerify, OSError."""
    found = trust_file.verify(_read(file, trust_file.MOST), asked)
    values = [_trust_value(each, asked) for each in found]
    value = values[0] if len(values) == 1 else {"ok": True, "documents": values}
    show(value, json_wanted=json_wanted, text=[line for each in found for line in _trust_lines(each, asked)])
    return 0


def show_bundle(file: Path, key: str | None, programme: str | None, *, json_wanted: bool) -> int:
    """The same of an auditor's bundle."""
    found = bundle_check.verify(_read(file, archive.MOST_BYTES), key, programme)
    show(_bundle_value(found, key), json_wanted=json_wanted, text=_bundle_lines(found, key))
    return 0


def _read(file: Path, most: int) -> bytes:
    with file.open("rb") as opened:
        data = opened.read(most + 1)
    if len(data) > most:
        raise Found(f"it is larger than the {most // 2**20} MB that such a file can have")
    return data


def _trust_value(found: trust_check.Verified, asked: trust_check.Asked) -> dict[str, Any]:
    trust = found.trust
    return {
        "ok": True, "programme": trust.programme.code, "profile": trust.programme.profile,
        "issued_at": _time(trust.issued_at), "valid_until": _time(trust.valid_until),
        "claims": {each.id: each.state for each in trust.claims},
        "states": Counter(each.state for each in trust.claims),
        "withdrawn": [each.id for each in trust.claims if each.shown == trust_document.WITHDRAWN],
        "proved": found.proved, "size": found.checkpoint.size, "at": found.checkpoint.at,
        "held": found.held, "compared": found.compared, "key": trust.ledger.vkey, "key_given": asked.key is not None,
    }  # fmt: skip


def _trust_lines(found: trust_check.Verified, asked: trust_check.Asked) -> list[str]:
    trust, states = found.trust, Counter(each.state for each in found.trust.claims)
    told = ", ".join(f"{states[state]} {state}" for state in trust_document.STATES if states[state])
    withdrawn = [each.id for each in trust.claims if each.shown == trust_document.WITHDRAWN]
    name = f"{trust.programme.title} ({trust.programme.code})"
    ledger = f"the ledger of {found.checkpoint.size:,} entries of {found.checkpoint.at:%Y-%m-%d %H:%M:%S} UTC"
    return [
        f"OK: signed and whole. {name}, issued {_words(trust.issued_at)}, valid until {_words(trust.valid_until)}.",
        *(["Its clock is one that can be moved: it is of a demo or a test."] if trust.clock else []),
        f"{len(trust.claims)} promises: {told}.",
        *([f"Withdrawn, since they fail: {', '.join(withdrawn)}."] if withdrawn else []),
        f"{found.proved} were told to {ledger}, and so was the policy ({len(trust.policy)} levels).",
        *_compared(found),
        f"Key: {trust.ledger.vkey} ({_whose('document', given=asked.key is not None)})",
    ]


def _compared(found: trust_check.Verified) -> list[str]:
    if found.held == found.compared:
        return [f"Checkpoints that you hold: {found.held}, the same ledger."] if found.held else []
    said = "of another size, which no document can be compared with: `troth verify --since` does it with the ledger"
    return [f"Checkpoints that you hold: {found.compared} the same ledger, {found.held - found.compared} {said}."]


def _bundle_value(found: bundle_check.Verified, key: str | None) -> dict[str, Any]:
    bundle = found.bundle
    return {
        "ok": True, "programme": bundle.programme.code, "begins": _time(bundle.begins), "ends": _time(bundle.ends),
        "until": found.until, "made_at": _time(bundle.made_at),
        "entries": {"range": bundle.entries.range, "shown": bundle.entries.shown, "others": bundle.entries.others,
                    "outside": bundle.entries.outside},
        "tellings": found.tellings, "receipts": found.receipts,
        "populations": {each.name: {"size": each.size, "drawn": each.drawn, "seed": each.seed, "listed": each.listed}
                        for each in bundle.populations},
        "files": len(bundle.files), "size": found.checkpoint.size, "at": found.checkpoint.at, "key": bundle.vkey,
        "key_given": key is not None,
    }  # fmt: skip


def _bundle_lines(found: bundle_check.Verified, key: str | None) -> list[str]:
    bundle, counts = found.bundle, found.bundle.entries
    name, told = f"{bundle.programme.title} ({bundle.programme.code})", bundle.range
    others = f"{counts.outside:,} of just before or after, {counts.others:,} of others by their hash"
    return [
        f"OK: signed and whole. {name}, {_words(bundle.begins)} to {_words(bundle.ends)}, {len(bundle.files)} files.",
        f"{counts.range:,} entries from {told.start:,} on, none left out: {counts.shown:,} shown, {others}.",
        *([] if counts.shown else ["The period is empty: no entry of it is this programme’s or the house’s."]),
        *_tail(found),
        f"{found.tellings:,} tellings of promises, each with what was seen.",
        *(f"  {each.name}: {each.size:,}{' listed' if each.listed else ''}, {len(each.drawn)} drawn, as its seed draws"
          for each in bundle.populations),
        f"{found.receipts} receipts of the messages drawn are true.",
        "That an entry shown by its hash is another client’s, and that the lists are complete, is the signer’s word.",
        f"Key: {bundle.vkey} ({_whose('bundle', given=key is not None)})",
    ]  # fmt: skip


def _tail(found: bundle_check.Verified) -> list[str]:
    if microseconds(found.until) >= found.bundle.ends:
        return []
    return [f"Signed to {found.until:%Y-%m-%d %H:%M:%S} UTC; that nothing came after it is the signer’s word."]


def _whose(what: str, *, given: bool) -> str:
    return "the one given" if given else f"the {what} says so itself; --key checks that"


def _time(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)


def _words(micros: int) -> str:
    return f"{_time(micros):%Y-%m-%d %H:%M:%S} UTC"
