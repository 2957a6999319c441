"""Claims: what the controls of changes and their records share: how one kind of thing changes, tried and counted."""

from collections.abc import Iterator
from typing import LiteralString
from uuid import UUID

from troth.control import roles
from troth.control.trust import fences, told_rows
from troth.control.trust.found import Findings
from troth.control.trust.look import Fact, Look, Programme
from troth.control.trust.measures import DENIED, NOTHING, weigh

_TABLES = ("change", "snapshot", "governed", "approval", "draft", "draft_author", "permission", "session", "account")
_FUNCTIONS = (
    "propose_v1", "approve_v1", "close_v1", "draft_save_v1", "draft_voids", "wrote", "acting", "acts", "allowed",
    "cell_of", "approvers_of", "house_alone", "approvals_of", "approvers_wanted", "policy_number", "change_guard",
    "approval_guard",
    "snapshot_guard", "governed_guard", "change_entry", "ledger_entry", "session_open_now", "insert_only",
    "governance_attempt_v1", "governance_fact_v1", "record_attempt_v1", "attempt_somebody",
)  # fmt: skip
# what is tried with a new proposal of each kind, and what must answer
_ATTEMPTS = {"own": DENIED, "author": DENIED, "digest": "22023", "forged": DENIED, "moved": DENIED}
_FACT = "SELECT * FROM governance_fact_v1(%s, %s)"
_RIGHTS = "SELECT profile, action, scope, role, second, named FROM permission"


def four_eyes(findings: Findings, look: Look, programme: Programme | None, *kinds: str) -> int:
    """The engine stands as shipped, and one person alone gets nowhere with these kinds; how many versions there are."""
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, *_TABLES))
    findings.take(fences.functions(look.schema, *_FUNCTIONS))
    findings.take(fences.checks(look.schema, "change", "state <> 2 OR decider_human <> proposer_human"))
    findings.take(fences.keys(look.schema, "approval", "PRIMARY KEY (change_id, human_id)"))
    findings.take(rights(look, *(f"{kind}:{act}" for kind in kinds for act in ("propose", "approve"))))
    for kind in kinds:
        _attempts(findings, look, kind)
    told_rows.as_told(findings, look, programme, "decisions")
    weigh(findings, look, facts(look, "in force", programme), "in force", "things in force are not what was approved")
    return sum(
        weigh(
            findings, look, facts(look, f"approved {kind}", programme), kind, f"{kind} versions have no such approval"
        )
        for kind in kinds
    )


def _attempts(findings: Findings, look: Look, kind: str) -> None:
    """Refusals say something only where the right way works, so that is tried first."""
    works = attempt(look, kind, "other")
    findings.need(works not in ("unable", DENIED), f"a second person's approval of a {kind} met {works}")
    for how, wanted in _ATTEMPTS.items():
        answer = attempt(look, kind, how)
        findings.need(answer in (wanted, NOTHING), f"a {kind}, {how}: the attempt met {answer}, not {wanted}")
    findings.seen[f"attempts_{kind.replace('-', '_')}"] = len(_ATTEMPTS) + 1


def attempt(look: Look, kind: str, how: str) -> str:
    """As Look.attempt; `unable` where the proposal itself was not taken."""
    return look.attempt(kind, how, query="SELECT governance_attempt_v1(%s, %s)")


def facts(look: Look, name: str, programme: Programme | None) -> tuple[Fact, ...]:
    return look.counted(name, _FACT, programme)


def rights(look: Look, *actions: str) -> Iterator[str]:
    """The rights to these acts are the package's own table, no more and no less."""
    with look.of(None) as connection:
        there = set(connection.execute(_RIGHTS).fetchall())
    wanted = roles.permission_rows()
    for profile, action, scope, role, *_ in sorted(there ^ wanted):
        if not actions or action in actions:
            yield f"the right of {role} to {action} ({scope}, {profile or 'house'}) is not as shipped"


def record(look: Look, name: str) -> str:
    """An attempt at what is kept, as the tables' owner."""
    return look.attempt(name, query="SELECT record_attempt_v1(%s)")


def strangers(look: Look, table: LiteralString) -> dict[UUID, int]:
    """By client: rows of other clients that role troth_control sees when it works for that one."""
    return _seen(look, f"SELECT count(*) FROM troth.{table} WHERE tenant_id <> %s")  # noqa: S608 - our own words


def own(look: Look, table: LiteralString) -> dict[UUID, int]:
    """By client: its own rows, as it sees them."""
    return _seen(look, f"SELECT count(*) FROM troth.{table} WHERE tenant_id = %s")  # noqa: S608 - our own words


def _seen(look: Look, query: LiteralString) -> dict[UUID, int]:
    found = {}
    for tenant in look.tenants:
        with look.of(tenant.id) as connection:
            row = connection.execute(query, (tenant.id,)).fetchone()
        found[tenant.id] = row[0] if row else 0
    return found
