"""Control of LOG-6: logs are append-only and tamper-evident."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from troth.control.trust import fences, logbook, measures, sample, sealed, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.logbook import Walked
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED
from troth.ledger import checkpoint
from troth.ledger.checkpoint import Checkpoint, NoteError

_LATE = timedelta(minutes=15)  # what waits longer than this is not sealed in time: the promise is 5 s
_SEALED = timedelta(minutes=1)
_TABLES = ("ledger_leaf", "ledger_batch", "ledger_node", "ledger_checkpoint", "ledger_key", "ledger_pending",
           "event_pending", "event", "claim_history", "claim_state")  # fmt: skip
_NEWEST = "SELECT size, root, at, note FROM ledger_checkpoint WHERE log_id = 1 ORDER BY size DESC LIMIT 200"
_KEY = "SELECT vkey FROM ledger_key WHERE log_id = 1"
_TAIL = 65_536  # bytes of the witness file that are read


def check(look: Look, _: Programme | None) -> Found:
    findings = Findings()
    _stands(findings, look)
    key = checkpoint.vkey(f"troth/{look.installation}/1", look.secrets.ledger_seed)
    kept = _checkpoints(findings, look, key)
    _line(findings, look)
    measures.count(
        findings, look, "event-tally", None, "counts of events that were sealed are higher than what is there"
    )
    before, witnessed = look.remembered("LOG-6"), _witnessed(look.outside.witness, key)
    held = [(one.size, one.root) for one in (witnessed,) if one]
    witness = witnessed is not None or bool(look.outside.witness and before.get("witness"))
    findings.need(witnessed or not witness, "the witness file is gone, or holds nothing of this ledger")
    if "size" in before:
        held.append((int(before["size"]), bytes.fromhex(before["root"])))
    if not kept:
        seen = max((size for size, _ in held), default=0)
        findings.need(not seen, f"rolled back: {seen} entries were seen before, now there is no checkpoint")
        findings.missing.append("the ledger has no checkpoint yet")
        findings.seen |= before
        return findings.done()
    newest = kept[0]
    findings.need(newest.at <= look.now + _SEALED, f"the clock stands behind the newest checkpoint, of {newest.at}")
    asked = {newest.size, *(one.size for one in kept), *(size for size, _ in held)}
    walked = logbook.walk(look, newest.size, asked, int(before.get("swept", 0)))
    findings.take(walked.wrong[:20])
    findings.take(_roots(walked, kept, held))
    _events(findings, look, walked)
    sealed.rows(findings, look, "LOG-6")
    told_rows.as_told(findings, look, None, "claims told")
    # what was seen when all was well is what the ledger is held to later
    well = {"size": newest.size, "root": newest.root.hex()} if not findings.wrong else before
    findings.seen |= {
        **{name: well[name] for name in ("size", "root") if name in well},
        "checkpoint_at": newest.at.isoformat(), "leaves_walked": walked.leaves, "whole": walked.whole,
        "swept": walked.swept, "witness": witness,
    }  # fmt: skip
    return findings.done()


def _stands(findings: Findings, look: Look) -> None:
    schema = look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, *_TABLES))
    findings.take(fences.functions(schema, "ledger_entry", "ledger_append_v1", "leaf_entry", "leaf_json", "insert_only",
                                   "claim_record_v2", "claim_enter", "now_v1"))  # fmt: skip
    hashed = "leaf_hash = sha256('\\x00' || convert_to(leaf, 'UTF8'))"
    findings.take(fences.checks(schema, "ledger_leaf", hashed, "index >= 0"))
    findings.take(fences.checks(schema, "ledger_pending", hashed))
    findings.take(fences.keys(schema, "ledger_leaf", "PRIMARY KEY (log_id, index)"))
    findings.take(fences.keys(schema, "ledger_checkpoint", "PRIMARY KEY (log_id, size)"))
    attempts = ("leaf-update", "leaf-delete", "checkpoint-delete", "event-delete", "event-update")
    measures.refused(findings, look, dict.fromkeys(attempts, DENIED))


def _checkpoints(findings: Findings, look: Look, key: str) -> list[Checkpoint]:
    """The newest ones, largest first; each signed with the key that the keyring holds."""
    with look.of(None) as connection:
        rows = connection.execute(_NEWEST).fetchall()
        own = connection.execute(_KEY).fetchone()
    if rows or own:
        findings.need(own and own[0] == key, "the ledger's key is not the keyring's")
    found = []
    for size, root, at, note in rows:
        try:
            read = checkpoint.parse(note, key)
        except NoteError as wrong:
            findings.wrong.append(f"the checkpoint of {size} entries: {wrong}")
            continue
        says = (read.size, read.root, read.at)
        findings.need(
            says == (size, bytes(root), at), f"the checkpoint of {size} entries says another thing than its row"
        )
        found.append(read)
    return found


def _line(findings: Findings, look: Look) -> None:
    (line,) = look.facts("line")
    findings.seen["waiting"] = line.n
    if line.example and look.now - datetime.fromisoformat(line.example) > _LATE:
        findings.old.append(
            f"{line.n} entries wait to be sealed, the oldest since {line.example}: is the sequencer running?"
        )


def _roots(walked: Walked, kept: list[Checkpoint], held: list[tuple[int, bytes]]) -> Iterator[str]:
    """Every checkpoint signed the root that the leaves make, and the ledger extends what was seen before."""
    if walked.wrong:
        return
    for one in kept:
        if walked.roots.get(one.size) != one.root:
            yield f"the leaves make another root than the checkpoint of {one.size} entries signed"
    for size, root in held:
        if size > kept[0].size:
            yield f"rolled back: {size} entries were seen before, now there are {kept[0].size}"
        elif size and walked.roots.get(size) != root:
            yield f"rolled back: the ledger had another root at {size} entries"


def _witnessed(file: Path | None, key: str) -> Checkpoint | None:
    """The largest checkpoint of this ledger that the witness file's end holds."""
    if file is None or not file.is_file():
        return None
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _TAIL))
        tail = opened.read().decode("utf-8", "replace")
    found = []
    for note in checkpoint.notes(tail):
        try:
            found.append(checkpoint.parse(note, key))
        except NoteError:  # another ledger's, or cut in two where the tail begins
            continue
    return max(found, key=lambda one: one.size, default=None)


def _events(findings: Findings, look: Look, walked: Walked) -> None:
    """Sampled events are what was sealed: their hash is of what they say, and it is in a batch."""
    looked = 0
    (line,) = look.facts("line")
    since = min(datetime.fromisoformat(line.example) if line.example else look.now, look.now) - _SEALED
    for tenant in look.tenants:
        for event in (event for message in sample.messages(look, tenant) for event in message.events):
            looked += 1
            findings.need(not event.why, f"an event of message {event.message}: {event.why}")
            if walked.whole and event.at < since and event.leaf_hash not in walked.sealed:
                findings.wrong.append(f"an event of message {event.message} is sealed nowhere")
    findings.seen["events_looked_at"] = looked


CONTROL = Control(
    "LOG-6",
    "log_6",
    HOUR,
    "The ledger is walked: every entry in its place, under the nodes and the signed roots; compared with the "
    "checkpoint seen last time and the witness file's; sampled events are found in their batches; changing and "
    "deleting are tried.",
    check,
)
