"""An auditor's bundle is as it was signed or it is BAD; and one that is signed and leaves something out is BAD, too."""

import io
import random
import zipfile
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from tests.ledger.house import NOW, PROGRAMME, SEED, SEEN, Log, claim_at, document

from troth.ledger import bundle as form
from troth.ledger.archive import pack, unpack
from troth.ledger.bundle import Bundle, Counts, Range, encode, listed, population
from troth.ledger.bundle_check import verify
from troth.ledger.canonical import canonical_document, parse_canonical
from troth.ledger.leaf import microseconds
from troth.ledger.signed_file import WrongKey
from troth.ledger.tree import frontier
from troth.ledger.trust_document import encode as encode_trust
from troth.ledger.verify import CannotVerify, Found

HOUR = timedelta(hours=1)
CLIENT, OTHER = "01a2-client", "01a2-other"
BEGINS, ENDS = NOW - 5 * HOUR, NOW - HOUR


class Making:
    """A bundle of five hours ago to one hour ago, whose parts a test may change before it is signed."""

    def __init__(self):
        log = self.log = Log()
        for _ in range(3):
            log.approved(NOW - 9 * HOUR)
        self.start = log.note(at=NOW - 8 * HOUR)
        log.approved(NOW - 4 * HOUR, of="grant")
        log.told("SUP-1", "fails", at=NOW - 4 * HOUR)
        log.add("suppression:entry:add", NOW - 3 * HOUR, CLIENT)
        log.add("access:message:view", NOW - 3 * HOUR, OTHER)
        log.told("SUP-1", "holds", at=NOW - 2 * HOUR)
        log.add("evidence:batch:seal", NOW - 30 * HOUR / 60)
        self.end, self.last = len(log.leaves), log.note(at=NOW - 20 * HOUR / 60)
        log.told("SUP-1", "holds", at=NOW - 10 * HOUR / 60)
        self.low, self.shown, self.outside, self.sample = 3, [3, 4, 5, 7, 8], 1, 2
        self.history = [self.telling(4, "fails"), self.telling(7, "holds")]
        self.promises = [{"id": "SUP-1", "scope": "installation", "before": None, "told": ["fails", "holds"],
                          "after": "holds"}]  # fmt: skip
        self.messages: list[dict] = []
        self.change = {}

    def telling(self, index, state, seen=SEEN):
        return {"entry": index, "claim": "SUP-1", "programme": "", "state": state, "evidence": seen}

    def files(self):
        log = self.log
        lines = [{"index": index, "leaf": log.leaves[index]} for index in self.shown]
        return {
            form.README: b"read me", form.FACTS: b"[]",
            form.TRUST: encode_trust(document(log, [claim_at(log, 9)]), log.seed),
            form.HASHES: b"".join(log.hashes()[self.low : self.end]),
            form.ENTRIES: self.lines(lines), form.HISTORY: self.lines(self.history),
            form.PROMISES: canonical_document(self.promises),
            "populations/messages.jsonl": self.lines(self.messages), "populations/suppressions.jsonl": b"",
        }  # fmt: skip

    @staticmethod
    def lines(found):
        return b"".join(canonical_document(each) + b"\n" for each in found)

    def populations(self):
        members = {form.MESSAGES: [each["id"] for each in self.messages], form.SUPPRESSIONS: []}
        grants = ["3"] if 3 in self.shown and len(self.shown) > self.outside else []
        members |= {"changes": grants, "grants": grants, "cases": [], "evidence": [], "looks": []}
        period = (self.change.get("begins", microseconds(BEGINS)), self.change.get("ends", microseconds(ENDS)))
        return [population(name, ids, self.log.root(self.end), period, self.sample) for name, ids in members.items()]

    def told(self, files):
        log, size = self.log, self.end - self.low
        begins = self.start if self.low else None
        before = log.ranges([(n << level, (n + 1) << level) for level, n in frontier(self.low)]) if self.low else []
        made = {
            "type": form.TYPE, "made_at": microseconds(NOW), "begins": microseconds(BEGINS), "ends": microseconds(ENDS),
            "programme": PROGRAMME, "clients": [CLIENT], "vkey": log.key, "checkpoint": log.note(),
            "range": Range(self.low, self.end, self.last, before, log.growth(self.end), begins),
            "entries": Counts(size, len(self.shown) - self.outside, self.outside, size - len(self.shown),
                              len(self.history)),
            "populations": self.populations(), "files": listed(files),
        }  # fmt: skip
        return Bundle(**{**made, **self.change})

    def made(self):
        files = self.files()
        return encode(self.told(files), files, self.log.seed)


GOOD = Making().made()


def bad(making, match):
    with pytest.raises(Found, match=match):
        verify(making.made())


def test_a_good_one_is_ok():
    found = verify(GOOD, Log().key, "homes")
    assert (found.receipts, found.tellings, found.until) == (0, 2, ENDS)
    assert (len(found.shown.fields), found.bundle.entries.others) == (4, 1)


def test_any_program_opens_it():
    with zipfile.ZipFile(io.BytesIO(GOOD)) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == sorted(opened.namelist())
        assert opened.read(form.README) == b"read me"


@settings(max_examples=300, deadline=None)
@given(some.integers(0, len(GOOD) - 1), some.integers(0, 7))
def test_a_flipped_bit_is_found(at, bit):
    with pytest.raises(Found):
        verify(GOOD[:at] + bytes((GOOD[at] ^ 1 << bit,)) + GOOD[at + 1 :])


@pytest.mark.parametrize("name", sorted(unpack(GOOD)))
def test_a_flipped_bit_of_each_file_is_found_when_it_is_packed_anew(name):
    """As somebody who packs it properly would: it is the hashes and the signature that tell, not the archive."""
    for at in random.Random(7).choices(range(len(unpack(GOOD)[name]) or 1), k=8):
        files = unpack(GOOD)
        content = files[name] or b"\0"
        files[name] = content[:at] + bytes((content[at] ^ 4,)) + content[at + 1 :]
        with pytest.raises(Found):
            verify(pack(files))


@pytest.mark.parametrize("name", sorted(unpack(GOOD)))
def test_a_file_that_is_missing_or_more_is_found(name):
    files = unpack(GOOD)
    with pytest.raises(Found):
        verify(pack({other: content for other, content in files.items() if other != name}))
    with pytest.raises(Found):
        verify(pack({**files, f"{name}x": b""}))


def test_an_entry_removed_and_the_counts_made_to_fit_is_found_by_the_signature():
    files = unpack(GOOD)
    manifest = parse_canonical(files[form.MANIFEST])
    files[form.ENTRIES] = b"".join(files[form.ENTRIES].splitlines(keepends=True)[:-1])
    told = manifest["bundle"]
    told["entries"] |= {"shown": 3, "others": 2}
    told["files"] = msgspec.to_builtins(listed({name: files[name] for name in files if name != form.MANIFEST}))
    with pytest.raises(Found, match="signature is of something else"):
        verify(pack({**files, form.MANIFEST: canonical_document(manifest)}))


def test_one_of_another_log_or_key_is_found_with_the_key_at_hand():
    making = Making()
    making.log.seed = b"z" * 32
    making.start, making.last = making.log.note(3, NOW - 8 * HOUR), making.log.note(9, NOW - HOUR / 3)
    assert verify(making.made()).tellings == 2
    with pytest.raises(Found, match="another key"):
        verify(making.made(), Log().key)
    with pytest.raises(CannotVerify, match="--key"):
        verify(GOOD, "nonsense+x")


def test_another_seed_signs_nothing():
    making = Making()
    with pytest.raises(WrongKey):
        encode(making.told(making.files()), making.files(), b"w" * 32)


# ---- signed by the ledger's own key, and not so


def test_an_entry_left_out_of_the_range_is_found():
    making = Making()
    hashes = making.log.hashes()
    files = making.files() | {form.HASHES: b"".join(hashes[3:5] + hashes[6:9])}
    with pytest.raises(Found, match="not as many"):
        verify(encode(making.told(files), files, SEED))
    files[form.HASHES] = b"".join(hashes[3:5] + hashes[6:9] + hashes[:1])
    with pytest.raises(Found, match="another root"):
        verify(encode(making.told(files), files, SEED))


def test_a_range_that_begins_or_ends_within_the_period_is_found():
    making = Making()
    making.start = making.log.note(3, BEGINS)
    bad(making, "what came before is left out")
    making = Making()
    making.last = making.log.note(9, ENDS - HOUR)
    bad(making, "what came after is left out")


def test_an_entry_of_the_house_hidden_among_others_is_the_signers_word_but_a_telling_is_not():
    making = Making()
    making.shown.remove(7)
    bad(making, "no entry of the ledger")
    making.history = making.history[:1]
    making.promises[0] |= {"told": ["fails"], "after": "fails"}
    assert verify(making.made()).bundle.entries.others == 2  # and said so: docs/audit-bundle.md


@pytest.mark.parametrize(("shown", "match"), [
    ([3, 4, 5, 6, 7], "a client that the bundle is not about"),
    ([3, 4, 5, 7, 9], "not the entry of the ledger at that place"),
    ([3, 4, 5, 7, 7], "in their order"),
    ([4, 3, 5, 7], "in their order"),
    ([2, 3, 4, 5, 7], "not the entry of the ledger at that place"),
])  # fmt: skip
def test_an_entry_that_is_not_to_be_there_is_found(shown, match):
    making = Making()
    making.shown = shown
    bad(making, match)


def test_the_counts_are_those_of_what_lies_in_it():
    for counts in (Counts(6, 5, 0, 1, 2), Counts(7, 4, 1, 2, 2), Counts(6, 4, 2, 0, 2), Counts(6, 4, 1, 2, 2)):
        making = Making()
        making.change["entries"] = counts
        bad(making, "entries")


def test_a_population_said_to_be_larger_or_left_out_is_found():
    making = Making()
    told = making.populations()
    larger = [msgspec.structs.replace(each, size=each.size + 1) if each.name == "grants" else each for each in told]
    making.change["populations"] = larger
    bad(making, "grants is said to have 2")
    making.change["populations"] = told[:-1]
    bad(making, "every population once")


def test_a_sample_that_chance_did_not_draw_is_found():
    making = Making()
    making.messages = [{"at": microseconds(NOW - 2 * HOUR), "id": f"m{n}"} for n in range(9)]
    told = making.populations()
    drawn = told[0].drawn
    other = [f"m{n}" for n in range(9) if f"m{n}" not in drawn][:2]
    making.change["populations"] = [msgspec.structs.replace(told[0], drawn=other), *told[1:]]
    bad(making, "not the one that its seed draws")
    making.change["populations"] = [msgspec.structs.replace(told[0], seed="0" * 64), *told[1:]]
    bad(making, "not the one that its seed draws")


def test_a_message_that_was_drawn_has_its_receipt():
    """Reviewers' fourth: what was drawn may not be said to be gone."""
    making = Making()
    making.messages = [{"at": microseconds(NOW - 2 * HOUR), "id": "m1"}]
    bad(making, "receipts are not those")


@pytest.mark.parametrize(("members", "match"), [
    ([("m2", 2), ("m1", 2)], "not in its place"), ([("m1", 2), ("m1", 2)], "twice"), ([("m1", 0)], "not of the period"),
    ([("m1", 5.01)], "not of the period"),
])  # fmt: skip
def test_a_list_of_members_is_one(members, match):
    making = Making()
    making.messages = [{"at": microseconds(NOW - hours * HOUR), "id": name} for name, hours in members]
    bad(making, match)


@pytest.mark.parametrize(("other", "match"), [
    ({"state": "holds"}, "not what the ledger was told"),
    ({"evidence": "{}"}, "not what the ledger was told"),
    ({"claim": "SUP-2"}, "not what the ledger was told"),
    ({"entry": 5}, "no entry of the ledger"),
    ({"entry": 6}, "no entry of the ledger"),
    ({"entry": "4"}, "no entry of the ledger"),
])  # fmt: skip
def test_a_history_that_is_not_the_ledgers_is_found(other, match):
    making = Making()
    making.history[0] |= other
    bad(making, match)


def test_a_telling_twice_or_left_out_is_found():
    making = Making()
    making.history = [making.history[0], *making.history]
    bad(making, "a telling is missing, or twice")
    making.history = making.history[1:2]
    bad(making, "a telling is missing, or twice")


@pytest.mark.parametrize("other", [{"told": ["holds", "holds"]}, {"after": "fails"}, {"id": "SUP-2"}])
def test_states_that_are_not_those_told_are_found(other):
    making = Making()
    making.promises[0] |= other
    bad(making, "states of SUP-")


def test_a_period_that_is_empty_is_proved_so_and_not_only_said():
    making = Making()
    making.change = {"begins": microseconds(NOW - 7 * HOUR), "ends": microseconds(NOW - 6 * HOUR)}
    making.history, making.outside = [], 5
    making.promises[0] |= {"told": [], "after": None}
    found = verify(making.made())
    assert not found.shown.fields
    assert all(each.size == 0 for each in found.bundle.populations)
    making.low, making.end, making.last, making.start = 0, 0, making.log.note(0), None
    making.outside = 0
    bad(making, "without entries")


def test_another_checkpoint_than_grew_from_the_range_is_found():
    making = Making()
    told = making.told(making.files()).range
    making.change["range"] = msgspec.structs.replace(told, growth=told.growth[:-1])
    bad(making, "does not extend")
    making.change["range"] = msgspec.structs.replace(told, before=told.before[:-1])
    bad(making, "begins with is missing")
    making.change["range"] = msgspec.structs.replace(told, before=["0" * 64, *told.before[1:]])
    bad(making, "does not begin with")


def test_the_trust_document_is_of_the_same_programme():
    making = Making()
    files = making.files()
    other = msgspec.structs.replace(PROGRAMME, code="shops")
    files[form.TRUST] = encode_trust(document(making.log, [], programme=other), SEED)
    with pytest.raises(Found, match="trust.json"):
        verify(encode(making.told(files), files, SEED))


@pytest.mark.parametrize("change", [
    {"begins": microseconds(ENDS)}, {"ends": microseconds(NOW) + 1}, {"made_at": 0},
    {"range": Range(-1, 9, "", [], [])}, {"clients": []}, {"begins": 2**52}, {"ends": -(2**53) + 1},
    {"checkpoint": "x"}, {"populations": []}, {"files": []},
])  # fmt: skip
def test_nonsense_that_is_signed_is_found(change):
    making = Making()
    making.change = change
    with pytest.raises(Found):
        verify(making.made())


def test_facts_and_promises_of_another_form_are_found():
    for name, content in ((form.FACTS, b'{"a":1}'), (form.PROMISES, b"[1]"), (form.PROMISES, b"{}"), (form.FACTS, b"7"),
                          (form.FACTS, b'[{"enclosed":true,"id":"1","sha256":"x"}]')):  # fmt: skip
        making = Making()
        files = making.files() | {name: content}
        with pytest.raises(Found):
            verify(encode(making.told(files), files, SEED))
