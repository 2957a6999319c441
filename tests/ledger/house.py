"""A small ledger without a house: leaves, their tree, checkpoints, and what is signed over them."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from troth.ledger import trust_document as form
from troth.ledger.canonical import canonical
from troth.ledger.checkpoint import sign, vkey
from troth.ledger.leaf import leaf_hash, microseconds
from troth.ledger.proofs import assemble, consistency_ranges, inclusion_ranges, plan
from troth.ledger.receipt import Entry
from troth.ledger.tree import Tree
from troth.ledger.trust_document import Claim, File, Ledger, Manifest, Policy, Programme, Trust

SEED, NAME = b"s" * 32, "troth/test/1"
NOW = datetime(2027, 1, 11, 12, tzinfo=UTC)
PROGRAMME = Programme("01a2-p", "homes", "Homes", "property", "homes.example")
SEEN = '{"seen":{},"why":[]}'


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass
class Log:
    """`notes`: a checkpoint each time one is asked for."""

    seed: bytes = SEED
    leaves: list[str] = field(default_factory=list)

    def add(self, kind: str, at: datetime = NOW, tenant: str = "", **fields: str) -> int:
        leaf = {"at": microseconds(at), "kind": kind, "tenant": tenant, **fields}
        self.leaves.append(canonical(leaf).decode())
        return len(self.leaves) - 1

    def told(self, claim: str, state: str = "holds", programme: str = "", at: datetime = NOW, seen: str = SEEN) -> int:
        return self.add("trust:claim:check", at, claim=claim, state=state, programme=programme, evidence=sha(seen))

    def approved(self, at: datetime = NOW, of: str = "policy", code: str = "operator", digest: str = "a" * 64) -> int:
        return self.add("governance:change:approve", at, of=of, code=code, digest=digest)

    def hashes(self) -> list[bytes]:
        return [leaf_hash(leaf.encode()) for leaf in self.leaves]

    def root(self, size: int) -> bytes:
        tree = Tree()
        for each in self.hashes()[:size]:
            tree.append(each)
        return tree.root()

    def note(self, size: int | None = None, at: datetime = NOW) -> str:
        size = len(self.leaves) if size is None else size
        return sign(self.seed, NAME, size, self.root(size), at)

    @property
    def key(self) -> str:
        return vkey(NAME, self.seed)

    def _of(self, ranges) -> list[bytes]:
        nodes = {(0, index): each for index, each in enumerate(self.hashes())}
        tree = Tree()
        for each in self.hashes():
            nodes |= {(level, index): hashed for level, index, hashed in tree.append(each)}
        return assemble(plan(ranges), nodes)

    def ranges(self, ranges) -> list[str]:
        return [each.hex() for each in self._of(ranges)]

    def entry(self, index: int) -> Entry:
        leaf = self.leaves[index]
        way = self.ranges(inclusion_ranges(index, 0, len(self.leaves)))
        return Entry(index, leaf_hash(leaf.encode()).hex(), way, leaf)

    def growth(self, size: int) -> list[str]:
        return self.ranges(consistency_ranges(0, size, len(self.leaves))) if 0 < size < len(self.leaves) else []


def claim(log: Log, name: str = "SUP-1", state: str = "holds", **other) -> Claim:
    index = log.told(name, "holds" if state == "stale" else state)
    return claim_at(log, index, name, state, **other)


def claim_at(log: Log, index: int, name: str = "SUP-1", state: str = "holds", **other) -> Claim:
    shown = {"holds": "claimed"}.get(state, "said")
    made = {
        "chapter": "email", "kind": "enforced", "scope": "installation", "shown": shown, "state": state,
        "owner": "deliverability", "frameworks": ["GDPR Art. 32"], "sentence": f"{name} is so.", "how": "it looks",
        "checked_at": microseconds(NOW), "since": microseconds(NOW), "evidence": sha(SEEN), "told": log.entry(index),
    }  # fmt: skip
    return Claim(id=name, **{**made, **other})


def document(log: Log, claims: list[Claim], policy: list[Policy] | None = None, **other) -> Trust:
    size = len(log.leaves)
    sentences = {each.id: sha(each.sentence) for each in claims if each.sentence is not None}
    made = {
        "type": form.TYPE, "programme": PROGRAMME, "issued_at": microseconds(NOW),
        "valid_until": microseconds(NOW + timedelta(days=7)),
        "ledger": Ledger(NAME, log.note(), size, log.root(size).hex(), log.key), "policy": policy or [],
        "claims": claims, "manifest": Manifest([File("evidence/1", "b" * 64, 12)], sentences),
    }  # fmt: skip
    return Trust(**{**made, **other})
