"""The states of a claim: each is reached by what there is to see, none is a constant."""

import ast
import dataclasses
import socket
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace

import msgspec
import psycopg
import pytest
from tests.control.trust.world import Names, World, at, ids, seal_accounts
from tests.support.firm import make_firm

from troth.control.audit import scope
from troth.control.audit.refusals import Refused
from troth.control.trust import catalogue, controls, running
from troth.control.trust.control import Control
from troth.control.trust.found import Findings, Found, State, worst
from troth.control.trust.look import OutOfTime
from troth.flow.events import Happening, row
from troth.keys import places
from troth.rules.states import Kind

MEASURED = (
    "CPL-3",
    "CPL-4",
    "EML-2",
    "EML-3",
    "EML-4",
    "EML-7",
    "EML-13",
    "ENC-4",
    "ENC-5",
    "FBL-2",
    "LOG-1",
    "LOG-6",
    "RCP-4",
    "ABU-1",
    "VDP-1",
    "VDP-2",
)
ALONE = tuple(files("troth.control.trust.controls").iterdir())


def move(world, **by):
    world.sql("UPDATE installation SET clock_offset = clock_offset + %s", timedelta(**by))


def test_what_was_never_checked_has_no_data(world):
    found = world.stored()
    assert {found[name].state for name in ids()} == {State.NO_DATA}
    assert found["EML-2"].checked_at is None


def test_a_check_is_kept_and_goes_stale_when_it_is_old(world):
    world.check()
    fresh = world.stored()
    assert {name: fresh[name].parts for name in ids() if fresh[name].state is not State.HOLDS} == {}
    move(world, hours=2)
    assert {world.stored()[name].state for name in ids()} == {State.STALE}
    assert "hours ago" in world.stored("EML-2")["EML-2"].parts[0].evidence["why"][-1]


def test_a_failure_does_not_age_into_something_milder(world):
    world.sql("GRANT DELETE ON suppression TO troth_control")
    world.check("SUP-3")
    move(world, hours=50)
    assert world.stored("SUP-3")["SUP-3"].state is State.FAILS


def test_a_check_whose_time_is_over_has_no_data_and_holds_nothing(world):
    with scope.connect(world.database.conninfo("troth_control"), "claims test") as connection:
        looked = world.look(connection)
        looked.until = 0.0
        with pytest.raises(OutOfTime):
            looked.hurry()
        assert {running._run(each, looked, None).state for each in running.CONTROLS} == {State.NO_DATA}


@pytest.mark.parametrize("claim", MEASURED)
def test_what_has_nothing_to_measure_has_no_data(operator, claim, tmp_path):
    """A first day: programmes and a firm, and nothing was sent yet."""
    firms = {profile: make_firm(operator, profile[:5], profile) for profile in ("property", "construction", "retail")}
    operator.admin.execute("UPDATE domain_state SET last_good_at = NULL, checked_at = NULL, ready_until = 'epoch'")
    names = Names().start()
    try:
        world = World(operator.database, operator, firms, names, tmp_path / "witness")
        seal_accounts(operator)
        assert world.state(claim) == "no data yet", world.why(claim)
    finally:
        names.stop()


@pytest.mark.parametrize("claim", ["EML-2", "EML-3"])
def test_a_silent_dns_is_believed_for_its_grace_and_stale_after(world, claim):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        silent = dataclasses.replace(world, names=SimpleNamespace(server=SimpleNamespace(port=taken.getsockname()[1])))
    aged = "UPDATE domain_state SET last_good_at = now_v1() - {0}, checked_at = now_v1() - {0}, ready_until = now_v1() - {0} + interval '2 hours'"
    world.sql(aged.format("interval '30 minutes'"))
    assert silent.state(claim) == "holds", silent.why(claim)
    world.sql(aged.format("interval '3 hours'"))
    assert silent.state(claim) == "stale", silent.why(claim)
    assert "does not answer" in silent.why(claim)
    assert world.state(claim) == "holds", world.why(claim)


def test_what_waits_too_long_to_be_sealed_is_stale(world):
    world.sql("SELECT ledger_append_v1(ARRAY['access:page:view'], ARRAY[NULL::uuid], ARRAY['{}'])")
    assert world.state("LOG-6") == "holds", world.why("LOG-6")
    move(world, minutes=20)
    assert world.state("LOG-6") == "stale", world.why("LOG-6")
    world.seal()
    assert world.state("LOG-6") == "holds", world.why("LOG-6")


def test_the_dns_broken_and_mended(world):
    firm = world.firms["property"]
    for name, wrong, claim in (
        (f"_dmarc.{firm.name}", None, "EML-3"),
        (f"_dmarc.{firm.name}", "v=DMARC1; p=none", "EML-3"),
        (f"_dmarc.{firm.name}", "v=DMARC1; p=quarantine", "EML-3"),
        (f"s1._domainkey.{firm.name}", None, "EML-2"),
        (f"s1._domainkey.{firm.name}", "v=DKIM1; k=rsa; p=", "EML-2"),
    ):
        if wrong is None:
            world.names.server.remove(name)
        else:
            world.names.server.set(name, "TXT", [wrong])
        assert world.state(claim) == "fails", (name, wrong)
        world.names.publish(firm.name)
        assert world.state(claim) == "holds", world.why(claim)


def test_a_table_that_is_gone_fails_and_a_role_that_may_not_look_does_not_hold(world):
    world.sql("ALTER TABLE suppression RENAME TO gone")
    assert world.state("SUP-1") == "fails"
    world.sql("ALTER TABLE gone RENAME TO suppression")
    world.sql("REVOKE SELECT ON person FROM troth_control")
    assert world.state("ENC-5") == "fails"
    world.sql("GRANT SELECT ON person TO troth_control")
    assert {world.state("SUP-1"), world.state("ENC-5")} == {"holds"}


def test_a_view_in_the_place_of_a_table_is_seen(world):
    world.sql("ALTER TABLE opt_out RENAME TO kept; CREATE VIEW opt_out AS SELECT * FROM kept WHERE false;"
              " GRANT SELECT ON opt_out TO troth_control, troth_flow")  # fmt: skip
    assert world.state("EML-7") == "fails"


def test_a_partition_that_is_open_or_detached_is_seen(world):
    (part,) = world.sql("SELECT tableoid::regclass::text FROM event LIMIT 1")[0]
    world.sql(f"GRANT SELECT ON {part} TO troth_control")
    assert world.state("LOG-1") == "fails"
    world.sql(f"REVOKE SELECT ON {part} FROM troth_control")
    world.sql(f"ALTER TABLE {part} DISABLE TRIGGER insert_only")
    assert world.state("LOG-1") == "fails"
    world.sql(f"ALTER TABLE {part} ENABLE TRIGGER insert_only")
    assert world.state("LOG-1") == "holds", world.why("LOG-1")
    world.sql(f"ALTER TABLE event DETACH PARTITION {part}")
    assert world.state("LOG-1") == "fails"


def test_a_crashing_control_has_no_data_and_leaves_the_others_alone(world, monkeypatch):
    def crash(look, programme):
        raise ZeroDivisionError("a fault")

    first, *rest = running.CONTROLS
    broken = Control(first.claim, first.name, first.interval, first.how, crash)
    monkeypatch.setattr(running, "CONTROLS", (broken, *rest))
    found = world.check()
    assert found[first.claim].state is State.NO_DATA
    assert "ZeroDivisionError" in found[first.claim].parts[0].evidence["why"][0]
    others = {each.claim for each in rest if each.claim in ids()}
    assert {name: found[name].parts for name in others if found[name].state is not State.HOLDS} == {}


def test_what_is_not_promised_is_said_by_programme(world):
    found = world.check("EML-7", "LOG-6", "BNC-2", programme="p-sites")
    assert [found[name].state for name in ("EML-7", "LOG-6", "BNC-2")] == ["not promised", "not promised", "holds"]
    assert found["BNC-2"].parts[0].evidence["seen"]["window_hours"] == 24
    whole = world.check("BNC-2")["BNC-2"]
    assert {part.programme for part in whole.parts} == {"p-homes", "p-shops", "p-sites"}


def test_the_rest_has_no_control_yet_and_unknown_names_are_refused(world):
    found = world.check()
    without = {name for name, each in found.items() if str(each.state) == "no control yet"}
    assert without == found.keys() - {control.claim for control in running.CONTROLS}
    assert len(found) == 108
    with pytest.raises(Refused, match="no claim XXX-1"):
        world.check("xxx-1")
    with pytest.raises(Refused, match="no programme"):
        world.check(programme="nowhere")


def test_the_ledger_hears_of_each_change_and_once_a_day(world):
    def heard():
        return world.sql(
            "SELECT leaf::jsonb ->> 'state' FROM ledger_pending WHERE kind = 'trust:claim:check' ORDER BY id"
        )

    world.check("SUP-3")
    world.check("SUP-3")
    assert heard() == [("holds",)]
    world.sql("GRANT DELETE ON suppression TO troth_control")
    world.check("SUP-3")
    world.sql("REVOKE DELETE ON suppression FROM troth_control")
    world.check("SUP-3")
    assert heard() == [("holds",), ("fails",), ("holds",)]
    move(world, hours=25)
    world.check("SUP-3")
    assert len(heard()) == 4
    assert len(world.sql("SELECT 1 FROM claim_history")) == 4
    assert len(world.sql("SELECT 1 FROM claim_state")) == 1


def test_checking_changes_nothing_else(world):
    def everything():
        tables = world.sql("SELECT relname FROM pg_class WHERE relnamespace = 'troth'::regnamespace AND relkind = 'r' AND NOT"
                           " relname = ANY(ARRAY['claim_state', 'claim_history', 'ledger_pending'])")  # fmt: skip
        return {
            name: world.sql(f"SELECT count(*), coalesce(sum(hashtext(t::text)::bigint), 0) FROM {name} t")
            for (name,) in tables
        }

    before = everything()
    world.check()
    assert everything() == before


def test_a_forged_message_without_what_was_promised_is_seen(world):
    """Somebody with the keyring writes an event that opens, is hashed and sealed, and tells of a bare message."""
    forge(world, lambda lines: [line for line in lines if not line.startswith("List-Unsubscribe")])
    world.seal()
    assert world.state("EML-7") == "fails"
    assert "List-Unsubscribe" in world.why("EML-7")
    assert world.state("EML-2") == "fails"  # its signature is not of these headers


def test_a_forged_message_signed_with_few_bits_is_seen(world):
    forge(world, lambda lines: lines, bits=1024)
    world.seal()
    assert "signed with 1024 bits" in world.why("EML-2")


def test_a_forged_message_without_signature_is_seen(world):
    forge(
        world,
        lambda lines: [
            line for line in lines if not line.startswith(("DKIM", " d=", " s=", " h=", "  ", " bh", " b=", " "))
        ],
    )
    assert "no DKIM signature" in world.why("EML-2")
    assert world.state("EML-3") == "fails"


def forge(world, change, **detail):
    """A second sent event of a sent message, told as the river tells, with other contents."""
    firm = world.firms["property"]
    message, source, sealed, person, wrapped, at = world.sql(
        "SELECT e.message_id, e.source_key, e.detail_ct, m.person_id, p.data_key, e.at FROM event e JOIN message m ON m.id = e.message_id"
        " JOIN person p ON p.id = m.person_id WHERE e.kind = 8 AND e.tenant_id = %s LIMIT 1", firm.tenant)[0]  # fmt: skip
    key = firm.keys.person(wrapped, person)
    told = msgspec.json.decode(key.open(sealed, places.event(message, source)))["detail"]
    told |= {"headers": change(told["headers"]), **detail}
    made = row(Happening(message, firm.tenant, Kind.SENT, "attempt:9", key, told), at)
    with psycopg.connect(**world.database.conninfo("troth_flow"), options="-c search_path=troth") as flow:
        flow.execute("INSERT INTO event (message_id, kind, source_key, tenant_id, at, detail_ct, leaf_hash) VALUES (%s,%s,%s,%s,%s,%s,%s)",
                     (made.message_id, made.kind, made.source_key, made.tenant_id, made.at, made.detail_ct, made.leaf_hash))  # fmt: skip


def test_an_erased_person_is_passed_over(world):
    firm = world.firms["property"]
    with world.database.owner() as owner, owner.transaction():
        owner.execute("SELECT set_config('troth.tenant', %s, true)", (str(firm.tenant),))
        owner.execute("SELECT erase_person_v1(%s, %s)", (firm.tenant, firm.people[at(firm, "ann")]))
    found = world.check()
    assert {name: found[name].state for name in ids()} == dict.fromkeys(ids(), State.HOLDS), [
        world.why(n) for n in ids()
    ]


def test_a_person_confirming_twice_was_verified_from_the_first_time_on(world):
    firm = world.firms["property"]
    world.sql("UPDATE person SET verified_at = now_v1() WHERE id = %s", firm.people[at(firm, "ann")])
    assert world.state("RCP-4") == "holds", world.why("RCP-4")


def test_a_memory_of_more_is_kept_through_a_failure(world):
    world.check("SUP-3")
    world.sql(
        "CREATE TABLE public.s AS SELECT * FROM suppression; CREATE TABLE public.f AS SELECT * FROM suppression_feed"
    )
    world.quiet("DELETE FROM suppression")
    world.quiet("DELETE FROM suppression_feed")
    for _ in range(2):
        assert "now there are 0" in world.why("SUP-3")
    world.quiet("INSERT INTO suppression SELECT * FROM public.s")
    world.quiet("INSERT INTO suppression_feed OVERRIDING SYSTEM VALUE SELECT * FROM public.f")
    assert world.state("SUP-3") == "holds"


# ---- the shape of things


def test_worst_of_several():
    assert worst([State.HOLDS, State.STALE, State.NO_DATA]) is State.STALE
    assert worst([State.HOLDS, State.FAILS, State.STALE]) is State.FAILS
    assert worst([]) is State.NOT_PROMISED


def test_findings_weigh_in_order():
    findings = Findings()
    assert findings.done().state is State.HOLDS
    findings.missing.append("m")
    assert findings.done().state is State.NO_DATA
    findings.old.append("o")
    assert findings.done().state is State.STALE
    findings.need(0, "w")
    assert findings.done() == Found(State.FAILS, ("w",), {})
    assert len(Found(State.FAILS, tuple(map(str, range(20))), {}).evidence()["why"]) == 13


def test_no_control_names_a_state():
    """A state comes from findings alone: a control that could write `State.HOLDS` could write it always."""
    for path in ALONE:
        if path.name.endswith(".py"):
            tree = ast.parse(path.read_text())
            names = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
            assert not names & {"HOLDS", "FAILS", "STALE", "NO_DATA"}, path.name
            made = [
                node
                for node in ast.walk(tree)
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Found"
            ]
            assert not made, path.name


def test_each_control_is_a_file_that_is_listed_and_has_its_claim():
    stems = {path.name.removesuffix(".py") for path in ALONE if path.name.endswith(".py")} - {"__init__"}
    assert {control.name for control in controls.CONTROLS} == stems
    for control in controls.CONTROLS:
        found = catalogue.claim(control.claim)
        assert found is not None
        assert control.name == control.claim.lower().replace("-", "_")
        assert controls.control_of(control.claim) is control
        assert control.how.endswith(".")
    assert len({control.claim for control in controls.CONTROLS}) == len(controls.CONTROLS)


def test_controls_know_neither_flow_nor_store():
    for path in Path(str(files("troth.control.trust"))).rglob("*.py"):
        assert "troth.flow" not in path.read_text()
        assert "troth.store" not in path.read_text()
