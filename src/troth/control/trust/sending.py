"""Claims: what the controls of who may send share: attempts with keys and with one factor, and counts of both."""

from typing import LiteralString

from troth.control.trust import fences
from troth.control.trust.found import Findings
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import NOTHING, weigh

_FACT: LiteralString = "SELECT * FROM sending_fact_v1(%s, %s)"
_EYES = ("sending_attempt_v1", "sending_fact_v1", "attempt_key", "attempt_somebody", "policy_number", "insert_only")
_WORDS = {
    "secrets": "secrets of keys were not brought by a version, or outlive the promise",
    "keys": "API keys have another secret than the one in force",
    "by key": "emails came when no secret of their key was in force",
}


def stands(findings: Findings, look: Look, *functions: str) -> None:
    """Keys and what makes them are as shipped."""
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, "api_key", "api_key_secret", "snapshot", "email"))
    findings.take(fences.functions(look.schema, *_EYES, *functions))
    findings.take(fences.keys(look.schema, "api_key_secret", "PRIMARY KEY (hash)"))
    findings.take(fences.not_null(look.schema, "api_key_secret", "key_id", "snapshot_id", "created_at", "ends_at"))


def tried(findings: Findings, look: Look, attempts: dict[str, str]) -> None:
    """Attempts by name, each with what must answer it."""
    for how, wanted in attempts.items():
        answer = attempt(look, how)
        findings.need(answer in (wanted, NOTHING), f"the attempt “{how}” met {answer}, not {wanted}")
    findings.seen["attempts"] = len(attempts)


def attempt(look: Look, how: str) -> str:
    return look.attempt(how, query="SELECT sending_attempt_v1(%s)")


def counted(findings: Findings, look: Look, programme: Programme | None, fact: str) -> int:
    return weigh(findings, look, look.counted(fact, _FACT, programme), fact, _WORDS[fact])
