"""What processes count is added up, whoever dies; what is told is in the catalogue, and Prometheus's own parser reads it."""

import os
import subprocess
import sys
import time

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from troth.cli.metrics import adding, catalogue, telling
from troth.cli.metrics.catalogue import COUNTER, GAUGE, HISTOGRAM, METRICS
from troth.outside import meters, processes
from troth.outside.meters import BOUNDS, Sheet, Timing

MINE = processes.look(os.getpid()).started
STEPS = "troth_delivery_total"


def page(kind="worker", pid=None, started=MINE, *, at=None, ended=False, sent=1, **more):
    given = {"counters": {STEPS: {"sent": sent}}, "gauges": {}, "timings": {}} | more
    return Sheet(kind, pid or os.getpid(), started, time.time() if at is None else at, ended, **given)


def test_living_and_dead_are_added_and_no_count_goes_back(tmp_path):
    meters.write(tmp_path, page(sent=5, gauges={"troth_delivery_sending": {"": 3}}))
    meters.write(tmp_path, page("door", pid=os.getppid(), started="a stranger's", sent=7))
    for _ in range(3):
        found = adding.add_up(tmp_path)
        assert found.counters[STEPS] == {"sent": 12}
        assert found.alive == {"worker": 1}
        assert found.gauges == {"troth_delivery_sending": {"": 3}}
        assert found.silent == []
    meters.write(tmp_path, page(sent=6, ended=True))
    assert adding.add_up(tmp_path).counters[STEPS] == {"sent": 13}
    assert adding.add_up(tmp_path).alive == {}
    meters.write(tmp_path, page(sent=1))
    assert adding.add_up(tmp_path).counters[STEPS] == {"sent": 14}


def test_one_that_is_killed_keeps_what_it_had_written(tmp_path):
    code = (
        "import sys, time, os; from pathlib import Path; from troth.outside import meters, processes\n"
        f"meters.counter({STEPS!r})['sent'] += 4\n"
        "meters.write(Path(sys.argv[1]), meters.sheet('worker', processes.look(os.getpid()).started))\n"
        "print('written', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"written\n"
    assert adding.add_up(tmp_path).alive == {"worker": 1}
    child.kill()
    child.wait()
    child.stdout.close()
    after = adding.add_up(tmp_path)
    assert (after.alive, after.counters[STEPS]) == ({}, {"sent": 4})
    assert after.silent == []


def test_a_kind_whose_processes_are_all_silent_is_missed(tmp_path):
    meters.write(tmp_path, page(at=time.time() - 60))
    assert adding.add_up(tmp_path).silent == ["worker"]


def test_a_damaged_sheet_stops_nothing(tmp_path):
    (tmp_path / "worker-1.json").write_text("{")
    (tmp_path / "total.json").write_text("half")
    assert adding.add_up(tmp_path).counters == {}


def test_timings_add_up(tmp_path):
    one = Timing([0] * (len(BOUNDS["troth_smtp_seconds"]) + 1), 0.0)
    one.counts[2], one.total = 4, 0.1
    meters.write(tmp_path, page(timings={"troth_smtp_seconds": {"": one}}))
    meters.write(tmp_path, page(ended=True, kind="door", timings={"troth_smtp_seconds": {"": one}}))
    assert adding.add_up(tmp_path).timings["troth_smtp_seconds"][""].counts[2] == 8


def test_what_is_told_is_what_prometheus_reads():
    timing = Timing([1] * (len(BOUNDS["troth_door_seconds"]) + 1), 1.5)
    added = adding.Added(
        counters={"troth_gate_answers_total": {"taken": 3, "refused": 1}, "not_listed_total": {"": 9}},
        timings={"troth_door_seconds": {"/emails/{id}|200": timing}},
    )
    said = telling.text(added, {"troth_queue_age_seconds": {"": 2.5}, "troth_spool_rows": {"queued": 4}})
    found = {family.name: family for family in parse(said)}
    assert set(found) == {m.name.removesuffix("_total") if m.kind == COUNTER else m.name for m in METRICS}
    assert all(found[m.name.removesuffix("_total") if m.kind == COUNTER else m.name].type == m.kind for m in METRICS)
    assert {(s.labels["answer"], s.value) for s in found["troth_gate_answers"].samples} == {
        ("taken", 3),
        ("refused", 1),
    }
    door = found["troth_door_seconds"].samples
    assert door[0].labels == {"route": "/emails/{id}", "status": "200", "le": "0.002"}
    assert door[-1].value == sum(timing.counts)
    assert found["troth_queue_age_seconds"].samples[0].value == 2.5
    assert "not_listed" not in said


def test_the_list_is_whole():
    names = [metric.name for metric in METRICS]
    assert len(set(names)) == len(names)
    assert names[0] == "troth_queue_age_seconds"
    for metric in METRICS:
        assert metric.help.endswith(".")
        assert metric.kind in (COUNTER, GAUGE, HISTOGRAM)
        assert metric.name.endswith("_total") == (metric.kind == COUNTER)
        assert (metric.name in BOUNDS) == (metric.kind == HISTOGRAM)
        assert not {"tenant", "client", "recipient", "address"} & set(metric.labels)


def test_every_meter_in_the_code_is_listed():
    import re
    from pathlib import Path

    source = Path(catalogue.__file__).parents[2]
    named = {
        name
        for path in source.rglob("*.py")
        if path.name != "catalogue.py"
        for name in re.findall(r'"(troth_[a-z_]+(?:_seconds|_total|_asks))"', path.read_text())
    }
    assert named <= set(catalogue.BY_NAME)
    assert {"troth_smtp_seconds", "troth_gate_answers_total", "troth_delivery_total"} <= named


def test_counting_costs_a_message_less_than_five_microseconds():
    """Of a message: its share of a batch, an answer's word, its state, a mark's share, SMTP's seconds, a request's."""
    answers, states = meters.counter("troth_gate_answers_total"), meters.counter("troth_gate_messages_total")
    smtp, door = meters.histogram("troth_smtp_seconds"), meters.histogram("troth_door_seconds")

    def one():
        answers["taken"] += 1
        states["queued"] += 1
        smtp.observe(0.012)
        door.observe(0.003, ("/emails", "200"))

    best = min(_timed(one) for _ in range(5))
    assert best < 5e-6, f"{best * 1e6:.2f} microseconds"


def _timed(act, times=20_000):
    began = time.perf_counter()
    for _ in range(times):
        act()
    return (time.perf_counter() - began) / times


def test_a_sheet_has_what_is_watched(monkeypatch):
    end = meters.watch(lambda: {"troth_relay_connections": {"open": 2}, "troth_smtp_answers_total": {"accepted": 9}})
    found = meters.sheet("worker", MINE)
    end()
    assert found.gauges["troth_relay_connections"] == {"open": 2}
    assert found.counters["troth_smtp_answers_total"] == {"accepted": 9}
    assert "troth_relay_connections" not in meters.sheet("worker", MINE).gauges
    assert msgspec.json.decode(msgspec.json.encode(found), type=Sheet) == found


@pytest.fixture(autouse=True)
def own_meters(monkeypatch):
    monkeypatch.setattr(meters, "_watches", [])
