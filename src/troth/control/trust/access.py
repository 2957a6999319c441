"""Claims: what the controls of access share: who may do what, tried with people made for the attempt."""

from collections.abc import Iterable

from troth.control.trust import fences, governance
from troth.control.trust.found import Findings
from troth.control.trust.look import Fact, Look, Programme
from troth.control.trust.measures import NOTHING

NO_SESSION, KEPT, ACCEPTED = "28000", "kept", "accepted"
_TABLES = ("permission", "account", "human", "session", "credential", "login")
_FUNCTIONS = (
    "allowed", "cell_of", "session_open_now", "session_account", "session_open_v1", "page_session_open_v1",
    "page_session_prove_v1", "session_seen_v1", "session_end", "session_used", "session_device", "account_closed",
    "password_changed",
    "last_owner", "policy_number", "access_attempt_v1", "access_fact_v1", "attempt_somebody",
)  # fmt: skip
_FACT = "SELECT * FROM access_fact_v1(%s, %s)"


def rights_stand(findings: Findings, look: Look, *actions: str) -> None:
    """The rights are as shipped, and so is everything that asks for them; with no actions, all of them."""
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, *_TABLES))
    findings.take(fences.functions(look.schema, *_FUNCTIONS))
    findings.take(governance.rights(look, *actions))


def tried(findings: Findings, look: Look, attempts: dict[str, str]) -> None:
    """Attempts by name, each with what must answer it; what there is nothing to try on is passed over."""
    for name, wanted in attempts.items():
        answer = attempt(look, name)
        findings.need(answer in (wanted, NOTHING), f"the attempt {name} met {answer}, not {wanted}")
    findings.seen["attempts"] = len(attempts)


def attempt(look: Look, name: str) -> str:
    return look.attempt(name, query="SELECT access_attempt_v1(%s)")


def facts(look: Look, name: str, programme: Programme | None) -> tuple[Fact, ...]:
    """Of one programme's clients, and of the operator's staff, who work for all of them."""
    return look.counted(name, _FACT, programme)


def least(look: Look, programme: Programme | None, field: str) -> Iterable[int]:
    """A number of the section `access` in each client's policy."""
    for tenant in look.of_programme(programme) if programme else look.tenants:
        policy = look.policy(tenant)
        yield getattr(policy.access, field) if policy else 2**31
