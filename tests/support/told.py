"""Reports of others in a test's database, as the desk takes them in, at any time before now."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID

import psycopg
from tests.support.firm import Operator, now

from troth.keys.ids import uuid7


def row(
    ip: str, messages: int = 10, *, dkim: bool = True, spf: bool = True, domain: str = "", **more: Any
) -> dict[str, Any]:
    found = {
        "source_ip": ip, "messages": messages, "disposition": "none", "dkim": dkim, "spf": spf, "header_from": domain,
        "envelope_from": domain, "dkim_domain": domain if dkim else "", "dkim_selector": "s1" if dkim else "",
        "spf_domain": domain or "spf.example", "reason": "",
    }  # fmt: skip
    return {**found, **more}


def dmarc(
    operator: Operator, domain: str, *rows: dict[str, Any], ago: float = 0, reporter: str = "receiver.test",
    org: str = "Receiver Inc", report: str = "",
) -> UUID:  # fmt: skip
    """A report that arrived `ago` days before now, of the day before that."""
    id_, at = uuid7(now()), datetime.now(UTC) - timedelta(days=ago)
    begin = at.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    given = [{**row("192.0.2.1", 10, domain=domain)}] if not rows else list(rows)
    numbered = [{**each, "n": n, "header_from": each["header_from"] or domain} for n, each in enumerate(given, 1)]
    name = report or str(id_)
    outcome = _taken(operator,
        "SELECT dmarc_take_v1(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 'bounces.example', %s)",
        (id_, hashlib.sha256(f"{org}{name}{reporter}".encode()).digest(), domain, org, name, reporter, begin,
         begin + timedelta(days=1), hashlib.sha256(name.encode()).digest(),
         json.dumps({"policy": {"p": "reject"}, "email": "dmarc@receiver.test", "errors": []}), json.dumps(numbered)),
    )  # fmt: skip
    assert outcome == ("taken",), outcome
    _back(operator, "dmarc_report", "id", id_, ago)
    _back(operator, "dmarc_record", "report_id", id_, ago)
    return id_


def tls(
    operator: Operator, domain: str, *, good: int = 90, failed: int = 3, ago: float = 0, reporter: str = ""
) -> UUID:
    id_, at = uuid7(now()), datetime.now(UTC) - timedelta(days=ago)
    failures = [{"n": 1, "policy": "sts", "result": "certificate-expired", "mx": f"mx.{domain}", "sending_ip": "192.0.2.9",
                 "reason": "", "sessions": failed}] if failed else []  # fmt: skip
    outcome = _taken(operator,
        "SELECT tls_take_v1(%s, %s, %s, 'Receiver Inc', %s, %s, %s, %s, %s, %s, %s, %s, 'bounces.example', %s)",
        (id_, hashlib.sha256(id_.bytes).digest(), domain, str(id_), reporter, at - timedelta(days=1), at,
         hashlib.sha256(b"x").digest(), json.dumps([{"type": "sts", "good": good, "failed": failed, "text": ["mode: enforce"]}]),
         good, failed, json.dumps(failures)),
    )  # fmt: skip
    assert outcome == ("taken",), outcome
    _back(operator, "tls_report", "id", id_, ago)
    _back(operator, "tls_failure", "report_id", id_, ago)
    return id_


def _taken(operator: Operator, query: LiteralString, params: tuple[Any, ...]) -> Any:
    where = operator.database.conninfo("troth_flow")
    with psycopg.connect(**where, options="-c search_path=troth", autocommit=True) as connection:
        return connection.execute(query, params).fetchone()


def _back(operator: Operator, table: str, key: str, id_: UUID, ago: float) -> None:
    query = f"UPDATE {table} SET arrived_at = arrived_at - %s WHERE {key} = %s"  # noqa: S608  # names of this file
    operator.database.fill(query, timedelta(days=ago), id_)
