"""Evidence of a period, judged part by part (bundle_check.py says in which order): entries, promises, populations,
receipts. What is in the bundle is compared with what its manifest counts, and with the ledger's own leaves.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from troth.ledger import bundle as form
from troth.ledger import receipt_check
from troth.ledger.bundle import Bundle, Population, counted, population
from troth.ledger.canonical import CanonicalError, parse_canonical
from troth.ledger.checkpoint import Checkpoint
from troth.ledger.leaf import leaf_hash
from troth.ledger.trust_check import TOLD
from troth.ledger.verify import CannotVerify, Found, fields_of

type Fields = dict[str, str | int]
type Telling = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """The entries of the period: index -> fields; and the members of each population that is counted from them."""

    fields: dict[int, Fields]
    members: dict[str, list[str]]


def shown_entries(bundle: Bundle, files: Mapping[str, bytes]) -> Shown:
    """Each lies in the range under its own hash and is for this programme; there are as many as are counted."""
    told, hashes, every = bundle.range, files[form.HASHES], {}
    for index, leaf in _entries(files[form.ENTRIES]):
        at = (index - told.start) * 32
        if not told.start <= index < told.end or leaf_hash(leaf.encode()) != hashes[at : at + 32]:
            raise Found("it is not the entry of the ledger at that place", index)
        every[index] = fields_of(leaf.encode())
        if every[index]["tenant"] not in ("", *bundle.clients):
            raise Found("it is of a client that the bundle is not about", index)
    fields = {index: each for index, each in every.items() if bundle.begins <= int(each["at"]) < bundle.ends}
    size, counts = told.end - told.start, bundle.entries
    own = (size, len(fields), len(every) - len(fields), size - len(every))
    if (counts.range, counts.shown, counts.outside, counts.others) != own:
        raise Found("it does not have as many entries as it says")
    return Shown(fields, _members(fields))


def _entries(data: bytes) -> Iterator[tuple[int, str]]:
    last = -1
    for line in lines(data, form.ENTRIES):
        index, leaf = line.get("index"), line.get("leaf")
        if type(index) is not int or type(leaf) is not str or len(line) != len(("index", "leaf")) or index <= last:
            raise Found(f"{form.ENTRIES} is not entries in their order")
        last = index
        yield index, leaf


def _members(fields: Mapping[int, Fields]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {name: [] for name in form.COUNTED}
    for index, each in fields.items():
        for name in counted(each):
            found[name].append(str(index))
    return found


def histories(bundle: Bundle, files: Mapping[str, bytes], shown: Shown) -> list[Telling]:
    """One to one with the ledger's tellings of this programme's promises and the installation's, with what was seen."""
    owners = ("", bundle.programme.id)
    told = {index for index, each in shown.fields.items() if each["kind"] == TOLD and each.get("programme") in owners}
    found = list(lines(files[form.HISTORY], form.HISTORY))
    for each in found:
        _telling(each, shown)
    entries = [each["entry"] for each in found]
    if entries != sorted(set(entries)) or set(entries) != told or len(found) != bundle.entries.tellings:
        raise Found("the history of the promises is not what the ledger was told: a telling is missing, or twice")
    return found


def _telling(each: Telling, shown: Shown) -> None:
    index = each.get("entry")
    fields = shown.fields.get(index) if type(index) is int else None
    if fields is None or fields["kind"] != TOLD:
        raise Found("the history of the promises has a telling that is no entry of the ledger")
    seen = sha256(str(each.get("evidence")).encode()).hexdigest()
    own = (each.get("claim"), each.get("programme"), each.get("state"), seen)
    if own != tuple(fields.get(name) for name in ("claim", "programme", "state", "evidence")):
        raise Found("what the history of the promises says of it is not what the ledger was told", index)


def promises(bundle: Bundle, files: Mapping[str, bytes], tellings: list[Telling]) -> list[str]:
    """The states of each promise over the period are those of its tellings; gives their ids."""
    found = _document(files[form.PROMISES], form.PROMISES)
    if type(found) is not list:
        raise Found(f"{form.PROMISES} is no list of promises")
    for claim in found:
        owner = "" if claim.get("scope") == "installation" else bundle.programme.id
        turns = [each["state"] for each in tellings if (each["claim"], each["programme"]) == (claim.get("id"), owner)]
        if claim.get("told") != turns or claim.get("after") != (turns[-1] if turns else claim.get("before")):
            raise Found(f"{form.PROMISES}: the states of {claim.get('id')} are not those of its tellings")
    return [str(claim.get("id")) for claim in found]


def populations(bundle: Bundle, files: Mapping[str, bytes], shown: Shown, root: bytes) -> None:
    """Each is as large as it says, and those drawn are the ones that its seed draws."""
    names = [each.name for each in bundle.populations]
    if sorted(names) != sorted((*form.LISTED, *form.COUNTED)):
        raise Found("it does not count every population once")
    for told in bundle.populations:
        members = _listed(bundle, files, told) if told.listed else shown.members.get(told.name, [])
        again = population(told.name, members, root, (bundle.begins, bundle.ends), told.wanted)
        if told.size != again.size or told.listed != again.listed:
            raise Found(f"the population {told.name} is said to have {told.size} members, and has {again.size}")
        if told != again:
            raise Found(f"the sample of {told.name} is not the one that its seed draws")


def _listed(bundle: Bundle, files: Mapping[str, bytes], told: Population) -> list[str]:
    name = f"populations/{told.name}.jsonl"
    if name not in files:
        raise Found(f"the file {name} is missing")
    found = list(lines(files[name], name))
    ids = [str(each.get("id")) for each in found]
    if ids != sorted(set(ids)):
        raise Found(f"{name} names a member twice, or not in its place")
    if not all(type(each.get("at")) is int and bundle.begins <= each["at"] < bundle.ends for each in found):
        raise Found(f"{name} has a member that is not of the period")
    return ids


def messages(bundle: Bundle, files: Mapping[str, bytes], key: str, checkpoint: Checkpoint) -> int:
    """Each message drawn has its receipt, which is true, of that message, and of a client of this programme."""
    drawn = next(each.drawn for each in bundle.populations if each.name == form.MESSAGES)
    wanted = {f"samples/messages/{message}.json": message for message in drawn}
    there = {name for name in files if name.startswith("samples/")}
    if there != wanted.keys():
        raise Found("the receipts are not those of the messages that were drawn")
    for name, message in wanted.items():
        try:
            _receipt(bundle, receipt_check.verify(files[name], key), message, checkpoint)
        except (Found, CannotVerify) as wrong:
            raise Found(f"{name}: {wrong.what if isinstance(wrong, Found) else wrong}") from None
    return len(wanted)


def _receipt(bundle: Bundle, found: receipt_check.Verified, message: str, checkpoint: Checkpoint) -> None:
    receipt = found.receipt
    if [each.id for each in receipt.messages] != [message] or receipt.email.tenant not in bundle.clients:
        raise Found("it is the receipt of another message, or of another programme’s")
    if any(each.recipient is not None or each.decision is not None for each in receipt.messages):
        raise Found("it shows to whom the message went, which is not for the taker of a bundle")
    if found.checkpoint.size == checkpoint.size and found.checkpoint.root != checkpoint.root:
        raise Found("its checkpoint has the bundle’s size and another root")


def evidence(bundle: Bundle, files: Mapping[str, bytes]) -> None:
    """The files that are enclosed are those of which facts are told."""
    facts = _document(files[form.FACTS], form.FACTS)
    hashed = {file.name: file.sha256 for file in bundle.files if file.name.startswith(form.ENCLOSED)}
    if hashed != {f"{form.ENCLOSED}{each['id']}": each["sha256"] for each in facts if each["enclosed"]}:
        raise Found("the files that people handed in are not those of which facts are told")
    lists = {f"populations/{name}.jsonl" for name in form.LISTED}
    known = {*form.FIXED, form.MANIFEST, *lists, *hashed}
    if more := sorted(name for name in set(files) - known if not name.startswith("samples/messages/")):
        raise Found(f"the file {more[0]} is none that a bundle has")


def lines(data: bytes, name: str) -> Iterator[dict[str, Any]]:
    """Objects, each canonical and ended by a newline."""
    if data and not data.endswith(b"\n"):
        raise Found(f"{name} is cut off")
    for row in data.split(b"\n")[:-1]:
        found = _document(row, name)
        if type(found) is not dict:
            raise Found(f"{name} has a line that is no object")
        yield found


def _document(data: bytes, name: str) -> Any:
    try:
        return parse_canonical(data)
    except CanonicalError as wrong:
        raise Found(f"{name} is not in its one form: {wrong}") from None
