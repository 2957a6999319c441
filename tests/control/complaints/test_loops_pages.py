"""Feedback loops are added and ended by few people, each an entry of the ledger; a mark of a template is cleared by a review."""

import re
from hashlib import sha256

import psycopg
import pytest
from tests.support import pages
from tests.support.loops_made import marked

FORM = {
    "provider": "Yahoo", "name": "Yahoo-CFL", "domains": "yahoo.com\nfbl.yahoo.com", "sender": "fbl@yahoo.com", "covers": "mail.acme.example",
    "silent_days": "30", "enrolled_on": "2026-01-05", "evidence": "We confirm your enrolment.",
}  # fmt: skip


def staff(site, role):
    found = site.visitor(pages.join(site.operator, f"S {role} <{role}@operator.test>", role))
    found.get("/")
    return found


def test_who_sees_it_and_who_does_not(site):
    auditor = staff(site, "auditor")
    page = auditor.get("/feedback-loops")
    assert page.status == 200
    assert "Add a loop" not in page.text
    assert auditor.get("/feedback-loops/new").status in (403, 404)
    assert staff(site, "support").get("/feedback-loops").status in (403, 404)
    assert site.visitor(site.member).get("/feedback-loops").status in (403, 404)


def entries(site, kind):
    query = "SELECT leaf FROM ledger_pending WHERE kind = %s UNION ALL SELECT leaf FROM ledger_leaf WHERE kind = %s"
    return [leaf for (leaf,) in site.operator.admin.execute(query, (kind, kind)).fetchall()]


def test_a_loop_is_added_is_silent_after_its_days_and_is_ended(site):
    owner = site.visitor(site.staff)
    assert "No loop is enrolled yet" in owner.get("/feedback-loops").text
    added = owner.post("/feedback-loops/new", **FORM)
    assert added.url == f"{site.url}/feedback-loops"
    assert "reports are believed from now on" in added.text
    assert "Nothing came yet" in added.text
    assert "fbl.yahoo.com" in added.text
    [leaf] = entries(site, "governance:loop:add")
    assert '"domains":"yahoo.com fbl.yahoo.com"' in leaf
    assert '"name":"yahoo-cfl"' in leaf
    run = site.operator.admin.execute
    [(loop, evidence)] = run("SELECT id, encode(evidence, 'hex') FROM feedback_loop").fetchall()
    assert evidence == sha256(b"We confirm your enrolment.").hexdigest()
    run("SELECT feedback_loop_told_v1(%s, 'abuse', true), feedback_loop_told_v1(%s, 'not-spam', false)", (loop, loop))
    assert "Reports come" in owner.get("/feedback-loops").text
    run("UPDATE feedback_loop_day SET last_at = now() - interval '40 days'")
    run("ALTER TABLE feedback_loop DISABLE TRIGGER guard")
    run("UPDATE feedback_loop SET added_at = now() - interval '60 days'")
    run("ALTER TABLE feedback_loop ENABLE TRIGGER guard")
    assert "Silent for long" in owner.get("/feedback-loops").text
    asked = owner.get(f"/feedback-loops/{loop}/end")
    assert "no report of it is believed" in asked.text
    refused = owner.post(f"/feedback-loops/{loop}/end", why=" ")
    assert refused.status == 422
    assert "Say why" in refused.text
    ended = owner.post(f"/feedback-loops/{loop}/end", why="They closed it")
    assert "believed no more" in ended.text
    assert "They closed it" in ended.text
    assert len(entries(site, "governance:loop:end")) == 1
    assert owner.get(f"/feedback-loops/{loop}/end").status == 404


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("name", "two words", "small letters"), ("provider", "", "who runs it"), ("domains", "yahoo", "“yahoo” is none"),
        ("domains", "", "one to ten domains"), ("sender", "nobody at all", "once for each"), ("sender", "", "no other mail"), ("silent_days", "0", "from 1 to 366"),
        ("enrolled_on", "soon", "2026-03-31"), ("enrolled_on", "2099-01-01", "future"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(site, field, typed, said):
    owner = site.visitor(site.staff)
    answer = owner.post("/feedback-loops/new", **{**FORM, field: typed})
    assert answer.status == 422
    assert said in answer.text
    assert "mail.acme.example" in answer.text
    assert entries(site, "governance:loop:add") == []


def test_a_name_is_taken_once(site):
    owner = site.visitor(site.staff)
    owner.post("/feedback-loops/new", **FORM)
    again = owner.post("/feedback-loops/new", **FORM)
    assert again.status == 422
    assert "already" in again.text


def test_no_way_round_the_functions(site):
    for role in ("troth_control", "troth_flow"):
        with psycopg.connect(**site.operator.database.conninfo(role), autocommit=True) as connection:
            for table in ("feedback_loop", "complaint", "template_flag", "feedback_loop_day"):
                for statement in (f"DELETE FROM troth.{table}", f"UPDATE troth.{table} SET {_column(table)} = NULL"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        connection.execute(statement)
            with pytest.raises(
                (psycopg.errors.InsufficientPrivilege, psycopg.errors.InvalidAuthorizationSpecification)
            ):
                connection.execute(
                    "SELECT troth.feedback_loop_add_v1(gen_random_uuid(), 'a', 'A', '{a.example}', 'a@a.example', '', 30,"
                    " '2026-01-01', NULL, %s)", (bytes(32),),
                )  # fmt: skip


def _column(table):
    return {"feedback_loop": "ended_at", "complaint": "loop_id", "template_flag": "cleared_at"}.get(table, "last_at")


def test_a_mark_is_shown_and_cleared_by_a_review(site):
    [(template, tenant)] = site.operator.admin.execute(
        "SELECT subject, tenant_id FROM governed WHERE kind = 'template' AND tenant_id = %s LIMIT 1",
        (site.firm.tenant,),
    ).fetchall()
    flag = marked(site)
    owner = site.visitor(site.staff)
    agenda = owner.get("/").text
    assert "waits for its review" in re.sub(r"\s+", " ", agenda)
    owner.post("/scope", client=str(tenant))
    page = owner.get(f"/templates/{template}")
    assert "waits for a compliance review" in page.text
    assert "The mark stands" in owner.post(f"/templates/{template}/flags/{flag}", why=" ").text
    done = owner.post(f"/templates/{template}/flags/{flag}", why="The wording was clear; the reader had forgotten.")
    assert "the mark is cleared" in done.text
    assert "the reader had forgotten" in done.text
    assert len(entries(site, "governance:template:unflag")) == 1
    assert "no such mark" in owner.post(f"/templates/{template}/flags/{flag}", why="Again").text
    assert "waits for its review" not in owner.get("/").text
