"""A page of each record, and each narrowing of it, is found by an index and reads a bounded number of rows, whatever is
there: two hundred thousand requests and acts, sixty thousand entries of the ledger, half of them another client's.
"""

import json
import os
import subprocess
import sys

import pytest

from troth.keys.ids import uuid7

_ACCESS = """
INSERT INTO access_log (id, tenant_id, account_id, at, kind, what, place, detail_ct)
SELECT (substr(uuid7_floor(at)::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid, %(tenant)s, %(account)s, at,
       CASE WHEN n %% 5000 = 0 THEN 'sign-in-failed' ELSE 'act' END, 'template-draft 302', sha256((n %% 900)::text::bytea), NULL
FROM generate_series(1, 100000) AS n, LATERAL (SELECT now_v1() - make_interval(secs => n * 0.5) AS at) AS clock
"""
_REQUESTS = """
INSERT INTO api_request (id, tenant_id, api_key_id, at, method, route, status)
SELECT (substr(uuid7_floor(at)::text, 1, 15) || substr(gen_random_uuid()::text, 16))::uuid, %(tenant)s, %(key)s, at, 'POST',
       '/emails', CASE WHEN n %% 7000 = 0 THEN 500 ELSE 200 END
FROM generate_series(1, 100000) AS n, LATERAL (SELECT now_v1() - make_interval(secs => n * 0.5) AS at) AS clock
"""
_LEAVES = """
INSERT INTO ledger_leaf (log_id, index, tenant_id, kind, at, leaf, leaf_hash)
SELECT 1, (SELECT coalesce(max(index), -1) FROM ledger_leaf) + n, %(tenant)s, kind, at, leaf, sha256('\\x00'::bytea || convert_to(leaf, 'UTF8'))
FROM generate_series(1, 30000) AS n,
     LATERAL (SELECT date_trunc('second', now_v1()) - make_interval(secs => 30000 - n) AS at,
              CASE WHEN n %% 10 = 0 THEN 'governance:change:approve' ELSE 'access:message:view' END AS kind) AS x,
     LATERAL (SELECT jsonb_build_object('at', (extract(epoch FROM at) * 1000000)::bigint, 'kind', kind, 'tenant', %(tenant)s::text,
              'by', %(account)s::text, 'of', CASE WHEN n %% 1000 = 0 THEN 'policy' ELSE 'template' END, 'code', 'c' || n, 'reason', 'r')::text AS leaf) AS y
"""
_ASK = """
import json, sys
from uuid import UUID
from types import SimpleNamespace
from zoneinfo import ZoneInfo
from django.conf import settings
from troth.control.settings import SCHEMA
settings.configure(**SCHEMA)
import django
django.setup()
from troth.control.records import accesses, asked, changes, logs, requests
tenant, cases = json.loads(sys.argv[1])
changes.row = lambda query, person: (person,)
found = []
for name, query in cases:
    log = {"changes": changes, "access": accesses, "requests": requests}[name]
    wish = asked.read(query, ZoneInfo("UTC"), log.KINDS, getattr(log, "STEPS", None) or log.STATUSES)
    assert not wish.wrong, (name, wish.wrong)
    made = log.query(SimpleNamespace(scope=UUID(tenant)), wish, wish.before)
    text = logs._NARROWED.replace("{window}", made.window).replace("{where}", made.where)
    values = {k: v.hex() if isinstance(v, bytes) else str(v) if v is not None and not isinstance(v, (int, list)) else v
              for k, v in {**made.values, "window": logs.WINDOW, "most": logs.PAGE + 1}.items()}
    found.append([text, values])
print(json.dumps(found))
"""


@pytest.fixture
def filled(operator, firm):
    account = operator.admin.execute("SELECT id FROM account LIMIT 1").fetchone()[0]
    other = uuid7(operator.admin.execute("SELECT now_v1()").fetchone()[0])
    with operator.database.filler() as filler:
        for tenant, key in ((firm.tenant, firm.key), (other, other)):
            for statement in (_ACCESS, _REQUESTS, _LEAVES):
                filler.execute(statement, {"tenant": tenant, "account": account, "key": key})
        for table in ("access_log", "api_request", "ledger_leaf"):
            filler.execute(f"ANALYZE {table}")
    return account


def asked(firm, account):
    place = "00" * 32
    whole = [("changes", {}), ("access", {}), ("requests", {})]
    narrow = [
        ("changes", {"kind": "policy"}), ("changes", {"q": "no such word"}), ("changes", {"person": str(account)}),
        ("changes", {"from": "2020-01-01", "to": "2030-01-01"}), ("changes", {"before": "29000"}),
        ("access", {"kind": "locked"}), ("access", {"status": "bad"}), ("access", {"person": str(account)}),
        ("access", {"place": place}), ("access", {"to": "2020-01-01"}), ("requests", {"status": "5"}),
        ("requests", {"key": str(firm.key)}), ("requests", {"q": "nothing"}), ("requests", {"from": "2020-01-01"}),
    ]  # fmt: skip
    return whole + narrow


def queries(firm, cases):
    """As the pages make them, in a process of their own: Django's settings are of a process."""
    env = {**os.environ}
    out = subprocess.run([sys.executable, "-c", _ASK, json.dumps([str(firm.tenant), cases])], env=env, check=True,
                         capture_output=True, text=True)  # fmt: skip
    return [(text, values) for text, values in json.loads(out.stdout)]


def nodes(plan):
    yield plan
    for each in plan.get("Plans", ()):
        yield from nodes(each)


def test_each_page_is_found_by_an_index_and_reads_a_bounded_number_of_rows(operator, firm, filled):
    cases = asked(firm, filled)
    control = operator.database.open("troth_control", firm.tenant)
    for (log, wish), (text, values) in zip(cases, queries(firm, cases), strict=True):
        if values.get("place"):
            values["place"] = bytes.fromhex(values["place"])
        plan = control.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {text}", values).fetchone()[0][0]
        for each in nodes(plan["Plan"]):
            read = (each["Actual Rows"] + each.get("Rows Removed by Filter", 0)) * each["Actual Loops"]
            assert read <= 20_001, (log, wish, each["Node Type"], read)
            if each["Node Type"] == "Seq Scan":
                assert read <= 1000, (
                    log,
                    wish,
                    each["Relation Name"],
                    read,
                )  # a partition that is empty, or a small table
        assert plan["Execution Time"] < 200, (log, wish, plan["Execution Time"])
