"""The simulator as pages: a draft is tried in the background, its summary goes with the change that proposes it."""

import re
from functools import partial

import psycopg
import pytest
from tests.control.policies.test_pages import look_at, proved, said, send, site
from tests.flow.gate.test_accept import ask, email
from tests.support.simulating import opened

from troth.control.simulator.working import Worker
from troth.flow.gate.accept import Gate
from troth.store.connection import connect

__all__ = ["site"]


def worker(site, stopped=lambda: False):
    database = site.operator.database
    return Worker(partial(opened, database.conninfo("troth_control"), site.operator.kms_path), stopped, processes=0)


def round_of(site, **how):
    connection = site.operator.database.open("troth_control")
    return worker(site, **how).round(connection)


async def mail(site, n):
    """Mail that the real gate takes."""
    operator = site.operator
    site.firm.person("ann@example.net")
    gate = Gate(
        lambda name: connect(operator.database.conninfo("troth_flow"), name), operator.keyring, operator.secrets
    )
    await gate.start()
    for _ in range(n):
        await gate.submit(ask(site.firm, email("ann@example.net")))
    await gate.stop()


def drafted(site, floor="4"):
    """A draft by which mail beyond so many is held."""
    visitor = proved(site, site.member)
    answer = send(visitor, "/policies/client/edit", site, anomaly_first_week_floor=floor, anomaly_floor=floor)
    assert answer.status == 200, said(answer.text)
    return visitor


def path_of(answer, site):
    return answer.url.removeprefix(site.url)


def simulate(visitor):
    answer = visitor.post("/policies/client/simulate")
    assert answer.status == 200
    return answer


async def test_a_draft_is_tried_and_what_it_found_goes_with_the_proposal(site):
    await mail(site, 6)
    visitor = drafted(site)
    assert "What would have been refused, held or slowed" in said(visitor.get("/policies/client/review").text)
    begun = simulate(visitor)
    assert "It begins in a moment" in said(begun.text)
    assert "It is being tried" in said(visitor.get("/policies/client/review").text)
    again = simulate(visitor)  # what is being answered is not asked twice
    assert site.operator.admin.execute("SELECT count(*) FROM simulation").fetchone() == (1,)
    assert round_of(site)
    assert not round_of(site)
    text = said(visitor.get(path_of(again, site)).text)
    assert "Of 6 messages, 2 would have been held for review" in text
    assert "the policy of the day gives 6 again" in text
    for part in ("By template", "By hour", "Which messages", "reminder"):
        assert part in text
    ref = re.search(r'href="/messages/(msg_[^"]+)"', visitor.last)[1]
    assert visitor.get(f"/messages/{ref}").status == 200
    assert "2 would have been held for review" in said(visitor.get("/policies/client/review").text)
    proposed = visitor.post("/policies/client/review", act="propose", reason="Fewer at once")
    assert "Tried on real mail" in said(proposed.text)
    assert "Of 6 messages, 2 would have been held for review" in said(proposed.text)
    assert "exactly what this change proposes" in said(proposed.text)


async def test_a_change_that_waits_is_tried_from_its_own_page(site):
    await mail(site, 3)
    visitor = drafted(site, "2")
    path = path_of(visitor.post("/policies/client/review", act="propose", reason="Fewer"), site)
    assert "Nobody has tried this" in said(visitor.get(path).text)
    begun = visitor.post(f"{path}/simulate")
    assert "It begins in a moment" in said(begun.text)
    assert "It is being tried" in said(visitor.get(path).text)
    assert round_of(site)
    assert "Of 3 messages, 1 would have been held for review" in said(visitor.get(path).text)
    staff = proved(site, site.staff)
    look_at(staff, site, site.firm)
    assert "Of 3 messages, 1 would have been held for review" in said(staff.get(path).text)


def test_without_mail_and_with_a_policy_nobody_could_approve_any_more_it_says_so(site):
    visitor = drafted(site)
    one = path_of(simulate(visitor), site)
    assert round_of(site)
    assert "There was no mail in these days" in said(visitor.get(one).text)
    simulate(visitor)
    site.operator.govern("policy", None, "operator", {"anomaly": {"floor": 1, "first_week_floor": 1}})
    assert round_of(site)
    text = said(visitor.get(one).text)
    assert "There was no mail" in text, "an answer stands as it was given"
    query = "SELECT why FROM simulation WHERE state = 4"
    assert "it may only lower" in site.operator.admin.execute(query).fetchone()[0]


def test_another_clients_simulation_is_not_there(site):
    visitor = drafted(site)
    path = path_of(simulate(visitor), site)
    owner = proved(site, site.staff)
    assert owner.get(path).status == 404
    look_at(owner, site, site.firm)
    assert owner.get(path).status == 200
    assert visitor.get("/simulations/018f3c2a-0000-7000-8000-000000000000").status == 404


def test_a_process_that_ends_leaves_it_for_the_next(site):
    simulate(drafted(site))
    assert not round_of(site, stopped=lambda: True)
    state = "SELECT state FROM simulation"
    assert site.operator.admin.execute(state).fetchone() == (2,)
    assert not round_of(site)
    site.operator.admin.execute("UPDATE simulation SET told_at = told_at - interval '6 minutes'")
    assert round_of(site)
    assert site.operator.admin.execute(state).fetchone() == (3,)


def test_what_was_asked_and_answered_is_never_changed(site):
    simulate(drafted(site))
    admin = site.operator.admin
    for statement in (
        "UPDATE simulation SET document = '{}', digest = sha256('{}')",
        "DELETE FROM simulation",
        "TRUNCATE simulation CASCADE",
    ):
        with pytest.raises(psycopg.Error, match="insert-only|only"):
            admin.execute(statement)
    assert round_of(site)
    for statement in (
        "UPDATE simulation SET state = 1, ended_at = NULL",
        "UPDATE simulation_result SET result = '{}'",
        "DELETE FROM simulation_result",
    ):
        with pytest.raises(psycopg.Error, match="insert-only|only"):
            admin.execute(statement)
    with site.operator.database.open("troth_control") as control:
        for statement in ("INSERT INTO simulation_result DEFAULT VALUES", "UPDATE simulation SET done = 1"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                control.execute(statement)


def test_a_change_of_another_kind_has_no_simulation(site):
    owner = proved(site, site.staff)
    look_at(owner, site, site.firm)
    query = "SELECT id FROM change WHERE kind = 'template' LIMIT 1"
    change = site.operator.admin.execute(query).fetchone()[0]
    assert "Tried on real mail" not in said(owner.get(f"/changes/{change}").text)
    assert owner.post(f"/changes/{change}/simulate").status == 404
