"""Imports promise: kill -9 of their process, in the middle of a check or of carrying out, loses nothing and doubles
nothing, consents included.
"""

import os
import subprocess
import sys
import time

import pytest
from tests.control.imports.test_working import approve, found, propose, receive
from tests.control.imports.working_with import names

from troth.control.imports import rows

N = 6_000
SAID = ",,express,2026-01-05T10:00:00Z,Send me your news.,ticked a box"
HEAD = "email,timezone,consent,consent_given_at,consent_wording,consent_how"


@pytest.fixture
def process(firm, tmp_path):
    """Starts `troth serve imports`; what still runs ends with the test."""
    where, children = firm.operator.database.conninfo("troth_control"), []
    env = {**os.environ, "TROTH_DATABASE_URL_CONTROL": f"postgresql://troth_control@/{where['dbname']}?host={where['host']}",
           "TROTH_MODE": "test", "TROTH_VAR_DIR": str(tmp_path), "TROTH_KEY_FILE": str(firm.operator.kms_path),
           "TROTH_DNS_RESOLVERS": names().address}  # fmt: skip

    def start() -> "subprocess.Popen[bytes]":
        children.append(
            subprocess.Popen([sys.executable, "-m", "troth.cli", "serve", "imports"], env=env, cwd=tmp_path)
        )
        return children[-1]

    yield start
    for child in children:
        child.kill()
        child.wait()


def until(firm, subject, reached) -> None:
    end = time.monotonic() + 60
    while not reached(found(firm, subject)):
        assert time.monotonic() < end
        time.sleep(0.002)


def test_a_killed_process_leaves_the_rest_to_the_next(firm, process):
    lines = [HEAD, *(f"p{n}@many.example{SAID}" for n in range(N)), "bad@,,,,,", f"p7@many.example{SAID}"]
    subject = receive(firm, "\n".join(lines).encode(), "recipients", pathway="employer-invitation")
    for _ in range(2):
        child = process()
        until(firm, subject, lambda one: one.step >= 1_000 or one.state != rows.RECEIVED)
        child.kill()
        child.wait()
    killed = found(firm, subject).state == rows.RECEIVED
    child = process()
    until(firm, subject, lambda one: one.state == rows.CHECKED)
    one = found(firm, subject)
    assert (killed, one.lines, one.good, one.bad, one.same) == (True, N + 2, N, 1, 1)
    child.kill()
    child.wait()
    approve(firm, propose(firm, one))
    steps = set()
    for _ in range(2):
        before, child = found(firm, subject).step, process()
        until(firm, subject, lambda one, before=before: one.step > before)
        child.kill()
        child.wait()
        steps.add(found(firm, subject).step)
    assert len(steps) == 2
    assert max(steps) < N, "the second was killed in the middle, too"
    process()
    until(firm, subject, lambda one: one.state == rows.DONE)
    assert found(firm, subject).became == {"added": N, "verified": N, "consents recorded": N}
    ask = firm.operator.admin.execute
    people = ask(
        "SELECT count(*), count(DISTINCT blind_index) FROM person JOIN person_import ON person_id = id"
    ).fetchone()
    assert people == (N, N)
    assert ask("SELECT count(*), count(DISTINCT person_id) FROM consent").fetchone() == (N, N)
    assert ask("SELECT count(*), count(DISTINCT person_id) FROM person_event WHERE kind = 31").fetchone() == (N, N)
