"""Unusual volumes on the pages: the curve, the band and the moment; a look is one person's, letting go is two people's."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from tests.support import history, pages

from troth.control.limits import anomaly_chart


def chosen(site, anomaly):
    page = site.visitor(site.member).get(f"/anomalies/{anomaly}").text
    return re.findall(r'name="message" value="([0-9a-f-]+)"', page)


def change(site):
    return site.operator.admin.execute(
        "SELECT id, artefact::jsonb, digest FROM change WHERE kind = 'release' ORDER BY proposed_at DESC LIMIT 1"
    ).fetchone()


def test_nothing_yet_says_what_will_stand_there(site):
    page = site.visitor(site.member).get("/anomalies")
    assert page.status == 200
    assert "Nothing waits" in page.text
    assert "Nothing was sent yet" in page.text
    staff = site.visitor(site.staff).get("/anomalies").text
    assert "Nothing was found yet" in staff


def test_what_was_found_is_seen_with_its_clock_its_curve_and_its_mail(site):
    anomaly = history.unusual(site.operator, site.firm, held=5)
    member = site.visitor(site.member)
    first = member.get("/").text
    assert "unusual volume" in first
    assert f'href="/anomalies/{anomaly}"' in first
    assert "sending is paused" not in first, "one line a stop"
    page = member.get("/anomalies").text
    assert "messages in 24 hours against a 7-day mean of" in page
    for drawn in ('class="c-band"', 'class="c-limit"', 'class="c-when"', 'class="c-dot broken"'):
        assert drawn in page
    assert "style=" not in page
    one = member.get(f"/anomalies/{anomaly}").text
    assert "5 wait, 0 released, 0 refused, 0 expired" in one
    assert "a person looks by" in one
    assert len(chosen(site, anomaly)) == 5
    other = (
        site.visitor(pages.join(site.operator, "O <o@other.test>", "admin", site.other.tenant))
        if hasattr(site, "other")
        else None
    )
    assert other is None or other.get(f"/anomalies/{anomaly}").status == 404


def test_a_look_is_one_persons_and_needs_words(site):
    anomaly = history.unusual(site.operator, site.firm)
    member = site.visitor(site.member)
    member.get(f"/anomalies/{anomaly}")
    refused = member.post(f"/anomalies/{anomaly}/look", found=" ")
    assert refused.status == 422
    assert "Say what you found" in refused.text
    assert 'aria-invalid="true"' in refused.text
    long = member.post(f"/anomalies/{anomaly}/look", found="x" * 2001)
    assert "2,000 characters are the most" in long.text
    page = member.post(f"/anomalies/{anomaly}/look", found="Rent week; it is meant").text
    assert "Rent week; it is meant" in page
    assert "A person looked at it" in page
    assert site.operator.admin.execute("SELECT count(*) FROM pause WHERE released_at IS NULL").fetchone() == (1,)


def test_a_part_is_chosen_and_two_people_let_it_go(site):
    anomaly = history.unusual(site.operator, site.firm, held=5)
    some = chosen(site, anomaly)[:1]
    member = site.visitor(site.member)
    path = f"/anomalies/{anomaly}/release?chosen=1&message={some[0]}"
    page = member.get(path).text
    assert "The one message that you chose goes" in page
    assert "The pause itself goes on" in page
    refused = member.post(f"/anomalies/{anomaly}/release", reason="", message=some[0], chosen="1")
    assert refused.status == 422
    assert f'value="{some[0]}"' in refused.text, "what was chosen is kept"
    member.post(f"/anomalies/{anomaly}/release", reason="Looked at", message=some[0], chosen="1")
    one, artefact, digest = change(site)
    assert artefact == {"held": "release", "lift": False, "messages": some}
    assert "held" in member.get(f"/changes/{one}").text
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (one, digest, site.operator.sessions[0]))
    assert site.operator.admin.execute("SELECT act, messages FROM held_order").fetchone()[0] == "release"


@pytest.mark.parametrize(
    ("way", "artefact", "says"),
    [
        ("lift", {}, "Mail that is held stays held"),
        ("release-all", {"held": "release", "lift": True}, "All 4 messages that wait go"),
        ("refuse", {"held": "refuse", "lift": False}, "All 4 messages that wait are cancelled and never sent"),
    ],
)
def test_each_way_says_its_consequence_and_proposes_that(site, way, artefact, says):
    anomaly = history.unusual(site.operator, site.firm, held=4)
    member = site.visitor(site.member)
    assert says in member.get(f"/anomalies/{anomaly}/{way}").text
    page = member.post(f"/anomalies/{anomaly}/{way}", reason="Looked at, and meant")
    found = change(site)
    assert found[1] == artefact
    assert str(found[0]) in page.url


def test_what_cannot_be_read_is_never_all_of_it(site):
    anomaly = history.unusual(site.operator, site.firm, held=4)
    member = site.visitor(site.member)
    member.get(f"/anomalies/{anomaly}/refuse")
    for given in ({"message": "nonsense"}, {"chosen": "1"}):
        answer = member.post(f"/anomalies/{anomaly}/refuse", reason="x", **given)
        assert answer.status == 422
    assert change(site) is None
    assert member.get(f"/anomalies/{anomaly}/nonsense").status == 404
    assert member.get("/anomalies/00000000-0000-7000-8000-000000000000").status == 404


def test_what_is_held_still_waits_after_sending_goes_on(site):
    anomaly = history.unusual(site.operator, site.firm, held=3)
    member = site.visitor(site.member)
    assert "still held" not in member.get("/anomalies").text, "it is part of what stands there"
    member.get(f"/anomalies/{anomaly}/lift")
    member.post(f"/anomalies/{anomaly}/lift", reason="Looked at, and meant")
    one, _, digest = change(site)
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (one, digest, site.operator.sessions[0]))
    page = member.get("/anomalies").text
    assert "3 messages are still held" in page
    assert "Nothing waits" not in page
    assert f'class="btn" href="/anomalies/{anomaly}"' in page
    staff = site.visitor(site.staff).get("/anomalies").text
    assert f'name="next" value="/anomalies/{anomaly}"' in staff
    site.operator.admin.execute("UPDATE held_mail SET outcome = 1")
    assert "Nothing waits" in member.get("/anomalies").text


def test_staff_see_all_clients_and_choose_one_to_decide(site):
    anomaly = history.unusual(site.operator, site.firm, held=1)
    staff = site.visitor(site.staff)
    page = staff.get("/anomalies").text
    assert "Nearest to their threshold first" in page
    assert "look at" in staff.get(f"/anomalies/{anomaly}").text
    assert staff.get(f"/anomalies/{anomaly}/lift").status == 404
    staff.get("/clients")
    staff.post("/scope", client=str(site.firm.tenant))
    assert staff.get(f"/anomalies/{anomaly}/lift").status == 200


def test_what_was_found_before_is_paged_and_what_is_open_stands_first_however_old(site):
    admin, tenant = site.operator.admin, site.firm.tenant
    kept = history.unusual(site.operator, site.firm)
    admin.execute("SET session_replication_role = replica")
    admin.execute("UPDATE anomaly SET at = at - interval '90 days', review_due = review_due - interval '90 days'")
    admin.execute("""
        WITH made AS (SELECT gen_random_uuid() AS id, gen_random_uuid() AS pause, n FROM generate_series(1, 60) AS n),
        stop AS (INSERT INTO pause (id, tenant_id, effect, reason, started_by, started_at, released_at, release_change)
                 SELECT pause, %s, 'stop-new', 'x', 'anomaly', now_v1() - n * interval '1 day', now_v1(), gen_random_uuid() FROM made)
        INSERT INTO anomaly (id, tenant_id, pause_id, cause, action, at, review_due, n, of_n, threshold, floor, sentence, hours)
        SELECT id, %s, pause, 'volume', 'stop-new', now_v1() - n * interval '1 day', now_v1(), 1, 1, 150, 1, 'number ' || n, '{}' FROM made
    """, (tenant, tenant))  # fmt: skip
    admin.execute("SET session_replication_role = DEFAULT")
    member = site.visitor(site.member)
    first = member.get("/anomalies").text
    assert f'href="/anomalies/{kept}"' in first, "the open one is older than all of them"
    assert re.findall(r">number (\d+)<", first) == [str(n) for n in range(1, 51)]
    older = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    second = member.get(f"/anomalies{older}").text
    assert re.findall(r">number (\d+)<", second) == [str(n) for n in range(51, 61)]
    assert 'rel="next"' not in second
    for nonsense in ("yesterday", "2026-11-22"):
        assert ">number 1<" in member.get(f"/anomalies?before={nonsense}").text
    assert "Nothing was found before that." in member.get("/anomalies?before=2001-01-01T00:00:00%2B00:00").text


def test_a_curve_of_a_young_client_counts_the_missing_days_as_none():
    ends = datetime(2026, 11, 22, 12, tzinfo=UTC)
    made = anomaly_chart.curve(ends, [10] * 30, 150, 200, [ends - timedelta(hours=2), ends - timedelta(days=9)])
    assert made.rows[-1].recent == 240
    assert made.rows[-1].limit == 200
    assert made.rows[0].recent == 0
    assert len(made.moments) == 1
    assert made.times[-1] == ends
    assert made.marks[0] >= 240


def test_a_long_history_is_cut_to_what_is_drawn():
    ends = datetime(2026, 11, 22, 12, tzinfo=UTC)
    made = anomaly_chart.curve(ends, [100] * 300, 200, 200)
    assert {(row.recent, row.mean, row.limit) for row in made.rows} == {(2400, 2400.0, 4800)}
    assert (made.moments, made.dot) == ([], "")
