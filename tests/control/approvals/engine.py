"""The change engine under random sequences: what people and forgers do to it with raw SQL, and what must hold after
every step. The model beside it is written by hand; where the two differ, one of them is wrong.

A sequence is one transaction that is rolled back, each step a savepoint: so ten thousand share one database.
"""

import hashlib
import json
import os
from collections import Counter
from datetime import timedelta
from uuid import UUID

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.control.approvals.asking import Asking
from tests.control.approvals.cast import CONTENT, MAY, REVOKERS, Somebody
from tests.control.approvals.forging import FORGED, OWN_SESSION, ROLES
from tests.control.approvals.holding import Held, held
from tests.control.approvals.model import Draft, Proposed
from tests.support.firm import now

from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document

LIVES = timedelta(days=14)  # a proposal's, by the profile of both firms
FARTHEST = timedelta(days=20)  # partitions of the access log are there for 21
KINDS = (*CONTENT, "policy", "grant", "house")
PEOPLE = ("owner1", "owner2", "owner3", "postmaster", "admin", "author", "approver", "moonlighter", "outsider", "hasty")
some = st.integers(0, 1000)
person = st.sampled_from(PEOPLE)


class Engine(Asking, RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.clock = timedelta()
        self.drafts: list[Draft] = []
        self.changes: list[Proposed] = []
        self.revoked: set[UUID] = set()
        self.secrets: dict[str, tuple[bytes, timedelta]] = {}
        self.roles = {name: one.role for name, one in self.world.people.items()}
        self.left: set[UUID] = set()  # accounts
        self.entries: Counter = Counter()
        self.begun = False

    @initialize()
    def begin(self) -> None:
        self.sql = self.world.admin
        self.sql.execute("BEGIN")
        self.begun = True
        self.base = self.sql.execute("SELECT coalesce(max(id), 0) FROM ledger_pending").fetchone()[0]
        self.policies = {self.world.firm: uuid7(now()), None: uuid7(now())}

    def teardown(self) -> None:
        if not self.begun:
            return
        seen = held(self.sql, self.base)
        self.tally.sequences += 1
        self.tally.live += len(set(seen.governed.values()) & set(seen.versions))
        self.tally.alone += seen.alone
        self.sql.execute("ROLLBACK")
        if self.tally.sequences % 250 == 0:  # what was rolled back is still read past
            self.sql.execute("VACUUM")

    # ---- what the model knows

    def may(self, one: Somebody, verb: str, kind: str, tenant: UUID | None) -> bool:
        if one.account in self.left or not one.second or (one.home is not None and one.home != tenant):
            return False
        return self.roles[one.name] in MAY.get((verb, kind, tenant is not None), ())

    def wanted(self, tenant: UUID | None) -> int:
        live = [self.live_of(self.policies[one]) for one in {tenant, None}]
        return max([1, *(one.artefact["governance"]["approvers"] for one in live if one)])

    def live_of(self, subject: UUID) -> Proposed | None:
        found = [one for one in self.changes if one.subject == subject and one.state == 2]
        return max(found, key=lambda one: one.order, default=None)

    def count(self, change: Proposed) -> int:
        """Approvals of people who could still give them."""
        return sum(self.may(one, "approve", change.kind, change.tenant) for one, _ in change.yes.values())

    def open(self, change: Proposed) -> bool:
        return change.state == 1 and change.expires > self.clock

    # ---- steps

    def _about(self, kind: str, n: int) -> tuple[str, UUID | None, UUID, str, dict]:
        """A new thing of that kind, or the next version of one that is there."""
        if kind in CONTENT:
            there = [one for one in self.changes if one.kind == kind]
            if there and n % 3:
                old = there[n % len(there)]
                return kind, old.tenant, old.subject, old.code, {"words": n}
            return kind, self.world.firm, uuid7(now()), f"c{len(self.changes)}-{len(self.drafts)}", {"words": n}
        if kind == "grant":
            one = self.world.people[("author", "approver", "moonlighter")[n % 3]]
            changed = {
                "role": ("author", "viewer", "approver")[n // 3 % 3],
                **({"retired": True} if n % 7 == 0 else {}),
            }
            code = f"account-{one.account.hex}"
            return kind, one.home, one.account, code, {**self.world.grants[one.account], **changed}
        tenant, code = (None, "operator") if kind == "house" else (self.world.firm, "tenant")
        return "policy", tenant, self.policies[tenant], code, {"governance": {"approvers": 1 + n % 3}}

    @rule(who=person, kind=st.sampled_from(KINDS), n=some, again=st.booleans(), late=st.booleans())
    def save(self, who: str, kind: str, n: int, again: bool, late: bool) -> None:
        draft = self.drafts[n % len(self.drafts)] if again and self.drafts else None
        if draft is None:
            kind, tenant, subject, code, _ = self._about(kind, n)
            draft = Draft(uuid7(now()), kind, tenant, subject, code)
        self._save(self.world.people[who], draft, n, draft.revision + (1 if late else 0))

    def _save(self, one: Somebody, draft: Draft, n: int, revision: int) -> None:
        fits = not draft.gone and revision == draft.revision
        done = self.acts(
            "save", fits and self.may(one, "propose", draft.kind, draft.tenant),
            "SELECT draft_save_v1(%s, %s, %s, %s, %s, %s, %s, %s)", draft.id, draft.tenant, draft.kind, draft.subject,
            draft.code, json.dumps({"words": n}), revision, self.secret(one), tenant=draft.tenant)  # fmt: skip
        if done:
            draft.revision += 1
            draft.authors.add(one.human)
            self.drafts = [*self.drafts, *([] if draft in self.drafts else [draft])]
            self._void(draft)

    @rule(kind=st.sampled_from(CONTENT), n=some)
    def write_together(self, kind: str, n: int) -> None:
        """Two people write on one draft, and the first proposes it."""
        kind, tenant, subject, code, _ = self._about(kind, n)
        draft = Draft(uuid7(now()), kind, tenant, subject, code)
        able = [p for p in map(self.world.people.get, PEOPLE) if p and self.may(p, "propose", kind, tenant)]
        first, second = able[n % len(able)], able[(n + 1) % len(able)]
        for one in (first, second):
            self._save(one, draft, n, draft.revision)
        self._propose(first, kind, n, draft)

    @precondition(lambda self: self.wanted(self.world.firm) == 1)
    @rule(n=some)
    def ask_for_two(self, n: int) -> None:
        """The client's policy asks for two approvals from here on."""
        one, other = (self.world.people[f"owner{1 + (n + k) % 3}"] for k in (0, 1))
        self._propose(one, "policy", 1 + 3 * n, None)
        self._approve(other, self.changes[-1], self.changes[-1].digest)

    def _void(self, draft: Draft) -> None:
        for change in self.changes:
            if change.draft is draft and change.state == 1:
                change.state = 4
                self.entries["withdraw"] += 1

    @rule(who=person, kind=st.sampled_from(KINDS), n=some, from_draft=st.booleans())
    def propose(self, who: str, kind: str, n: int, from_draft: bool) -> None:
        draft = self.drafts[n % len(self.drafts)] if from_draft and self.drafts else None
        self._propose(self.world.people[who], kind, n, draft)

    def _propose(self, one: Somebody, kind: str, n: int, draft: Draft | None) -> None:
        if draft is None:
            kind, tenant, subject, code, artefact = self._about(kind, n)
        else:
            kind, tenant, subject, code = draft.kind, draft.tenant, draft.subject, draft.code
            artefact = self._about("house" if tenant is None else kind, n)[4]
            if kind == "grant":
                artefact = {**self.world.grants[subject], "role": "viewer"}
        text = canonical_document(artefact).decode()
        expected = self.may(one, "propose", kind, tenant) and not (draft and draft.gone)
        change = uuid7(now())
        digest = self.acts(
            "propose", expected, "SELECT propose_v1(%s, %s, %s, %s, %s, %s, 'why', %s, %s)", change, kind, tenant, subject,
            code, text, self.secret(one), draft.id if draft else None, tenant=tenant)  # fmt: skip
        if expected:
            assert digest == hashlib.sha256(text.encode()).digest()
            if draft:
                self._void(draft)
                draft.authors.add(one.human)
            expires = self.clock + LIVES
            self.changes.append(
                Proposed(change, kind, tenant, subject, code, artefact, digest, one.human, expires, draft)
            )
            self.entries["propose"] += 1

    @precondition(lambda self: self.changes)
    @rule(who=person, n=some, shown=st.sampled_from(["theirs", "theirs", "theirs", "another's", "none"]))
    def approve(self, who: str, n: int, shown: str) -> None:
        change = self.changes[-1 - n % len(self.changes)]
        wrong = self.changes[n % len(self.changes)].digest if shown == "another's" else os.urandom(32)
        self._approve(self.world.people[who], change, change.digest if shown == "theirs" else wrong)

    @rule(kind=st.sampled_from(KINDS), n=some)
    def propose_well(self, kind: str, n: int) -> None:
        """By somebody who may, so that sequences get somewhere; the same below."""
        able = [name for name in PEOPLE if self.may(self.world.people[name], "propose", *self._about(kind, n)[:2])]
        self._propose(self.world.people[able[n % len(able)]], kind, n, None)

    @precondition(lambda self: any(one.state == 1 for one in self.changes))
    @rule(n=some)
    def approve_well(self, n: int) -> None:
        still = [one for one in self.changes if one.state == 1]
        change = still[n % len(still)]
        people = [self.world.people[name] for name in PEOPLE]
        able = [p for p in people if self.may(p, "approve", change.kind, change.tenant) and not change.wrote(p.human)]
        able = [p for p in able if p.human not in change.yes]
        if able:
            self._approve(able[n % len(able)], change, change.digest)

    @precondition(lambda self: any(one.state == 1 for one in self.changes))
    @rule(n=some, late=st.booleans())
    def approve_wrongly(self, n: int, late: bool) -> None:
        """With the right digest, but by somebody without the right; or by somebody who may, when its time is over."""
        still = [one for one in self.changes if one.state == 1]
        change = still[n % len(still)]
        if late and change.expires <= FARTHEST:
            self.wait_until(max(self.clock, change.expires))
            self.approve_well(n)
            return
        others = [p for p in map(self.world.people.get, PEOPLE) if p and not change.wrote(p.human) and p.second]
        unable = [p for p in others if not self.may(p, "approve", change.kind, change.tenant)]
        if unable:
            self._approve(unable[n % len(unable)], change, change.digest)

    @precondition(lambda self: any(one.state == 1 and one.draft for one in self.changes))
    @rule(n=some)
    def approve_as_author(self, n: int) -> None:
        """By one of those who wrote it, with every right to approve what others write."""
        still = [one for one in self.changes if one.state == 1 and one.draft]
        change = still[n % len(still)]
        wrote = [p for p in map(self.world.people.get, PEOPLE) if p and change.wrote(p.human)]
        able = [p for p in wrote if self.may(p, "approve", change.kind, change.tenant)]
        if able:
            self._approve(able[n % len(able)], change, change.digest)

    def _approve(self, one: Somebody, change: Proposed, digest: bytes) -> None:
        fits = self.open(change) and digest == change.digest
        another = not change.wrote(one.human) and one.human not in change.yes
        expected = fits and another and self.may(one, "approve", change.kind, change.tenant)
        wanted = self.wanted(change.tenant)
        last = expected and self.count(change) + 1 >= wanted
        # three owners: one proposes, two are left; more than that could never be undone
        too_many = change.kind == "policy" and change.tenant is None and change.artefact["governance"]["approvers"] > 2
        expected = expected and not (last and too_many)
        made = self.acts(
            "approve", expected, "SELECT approve_v1(%s, %s, %s)", change.id, digest, self.secret(one),
            tenant=change.tenant)  # fmt: skip
        if not expected:
            return
        change.yes[one.human] = (one, digest)
        assert (made is not None) == last, f"{len(change.yes)} approvals of {wanted}"
        self.entries["approve" if last else "endorse"] += 1
        if last:
            change.state, change.wanted, change.version, change.order = 2, wanted, made, self.entries["approve"]
            self._take_effect(change)

    def _take_effect(self, change: Proposed) -> None:
        if change.draft:
            change.draft.gone = True
        if change.kind == "grant":
            for one in self.world.people.values():
                if one.account == change.subject:
                    self.roles[one.name] = change.artefact["role"]
                    (self.left.add if change.artefact.get("retired") else self.left.discard)(one.account)
                    self.secrets.pop(one.name, None)

    @precondition(lambda self: self.changes)
    @rule(who=person, n=some, note=st.sampled_from(["no", ""]))
    def close(self, who: str, n: int, note: str) -> None:
        one, change = self.world.people[who], self.changes[-1 - n % len(self.changes)]
        own = change.proposer == one.human and one.account not in self.left
        at_home = one.home is None or one.home == change.tenant
        expected = (own and at_home) or (self.may(one, "approve", change.kind, change.tenant) and note != "")
        expected = expected and self.open(change)
        self.acts(
            "close", expected, "SELECT close_v1(%s, %s, %s)", change.id, note, self.secret(one), tenant=change.tenant
        )
        if expected:
            change.state = 4 if own else 3
            self.entries["withdraw" if own else "reject"] += 1

    @precondition(lambda self: any(one.version for one in self.changes))
    @rule(who=person, n=some)
    def revoke(self, who: str, n: int) -> None:
        one, there = self.world.people[who], [each for each in self.changes if each.version]
        change = there[n % len(there)]
        at_home = one.second and one.account not in self.left and one.home in {None, change.tenant}
        expected = (
            at_home and self.roles[who] in REVOKERS[change.tenant is not None] and change.version not in self.revoked
        )
        self.acts(
            "revoke",
            expected,
            "SELECT revoke_v1(%s, 'why', %s)",
            change.version,
            self.secret(one),
            tenant=change.tenant,
        )
        if expected:
            self.revoked.add(change.version)
            self.entries["revoke"] += 1

    @rule(ahead=st.sampled_from([timedelta(hours=1), timedelta(days=1), timedelta(days=13), timedelta(days=14)]))
    def wait(self, ahead: timedelta) -> None:
        if self.clock + ahead <= FARTHEST:
            self.wait_until(self.clock + ahead)

    def wait_until(self, clock: timedelta) -> None:
        self.clock = clock
        self.ask("postgres", "UPDATE installation SET clock_offset = %s", self.clock)

    @rule()
    def expire(self) -> None:
        over = [one for one in self.changes if one.state == 1 and not self.open(one)]
        assert self.ask("troth_flow", "SELECT expire_changes_v1()") == len(over)
        for change in over:
            change.state = 5
            self.entries["expire"] += 1

    @rule(who=st.sampled_from(["postmaster", "author", "approver", "moonlighter"]))
    def leave(self, who: str) -> None:
        one = self.world.people[who]
        query = "UPDATE account SET disabled_at = now_v1(), disabled_why = 'left' WHERE id = %s AND disabled_at IS NULL"
        self.ask("postgres", query, one.account)
        self.left.add(one.account)
        self.secrets.pop(who, None)

    @precondition(lambda self: self.changes)
    @rule(how=st.sampled_from(sorted(FORGED)), role=st.sampled_from(ROLES), who=person, n=some)
    def forge(self, how: str, role: str, who: str, n: int) -> None:
        """Whoever has a role of the database, and somebody's open session besides, writes the rows themselves."""
        self._forge(how, role, self.world.people[who], self.changes[-1 - n % len(self.changes)], n)

    @precondition(lambda self: any(one.state == 1 for one in self.changes))
    @rule(how=st.sampled_from(OWN_SESSION), n=some)
    def forge_well(self, how: str, n: int) -> None:
        """As the tables' owner, with a session of one's own, in the name of somebody who could."""
        still = [one for one in self.changes if one.state == 1]
        change = still[n % len(still)]
        people = [self.world.people[name] for name in PEOPLE]
        able = [p for p in people if self.may(p, "approve", change.kind, change.tenant) and not change.wrote(p.human)]
        if able:
            self._forge(how, "owner", able[n % len(able)], change, n)

    def _forge(self, how: str, role: str, one: Somebody, change: Proposed, n: int) -> None:
        mine = self.world.people[PEOPLE[n % len(PEOPLE)]]
        values = {
            "change": change.id, "digest": change.digest, "human": one.human, "account": one.account, "new": uuid7(now()),
            "mine": self.secret(mine).hex(), "my_human": mine.human, "tenant": change.tenant,
            "version": next((each.version for each in self.changes if each.version), change.id)}  # fmt: skip
        if FORGED[how].needs_another and one.human == mine.human:
            return
        if FORGED[how].of_drafts and change.draft is None:
            return
        if FORGED[how].of_versions and not (change.version and change is self.live_of(change.subject)):
            return
        met = "nothing"
        try:
            self.ask_all(role, FORGED[how].statements, values, change.tenant)
        except psycopg.Error as refused:
            met = f"{refused.sqlstate}: {refused}"
        assert met.startswith(("42501", "23514")), f"{how} as {role} met {met}"
        self.tally.done["forge refused"] += 1

    # ---- what must hold

    @invariant()
    def everything_live_was_approved(self) -> None:
        if not self.begun:
            return
        seen: Held = held(self.sql, self.base)
        assert seen.alone == 0
        assert seen.states == {one.id: one.state for one in self.changes}
        approved = {one.version: one for one in self.changes if one.state == 2}
        assert set(seen.versions) == set(approved)
        for version, row in seen.versions.items():
            change = approved[version]
            assert row == (change.id, change.subject, change.digest)
            others = {
                human for human, (_, digest) in change.yes.items() if digest == row[2] and not change.wrote(human)
            }
            assert seen.approvals.get(change.id, set()) == set(change.yes)
            assert len(others) >= change.wanted >= 1, "too few of others"
        for change in approved.values():
            live = self.live_of(change.subject)
            assert seen.governed[change.subject] == live.version
        assert seen.entries == +self.entries
