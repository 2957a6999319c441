"""The trend of complaints: who sees which figures, what they are of, and that a chart says what its table says."""

import csv
import io
import re
from datetime import date

import pytest
from tests.support import complained_of as made
from tests.support import pages
from tests.support.firm import make_firm
from tests.support.seeding import partitions

from troth.control.complaints import trend


def text(page):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_where_nothing_was_sent_it_says_how_complaints_come(site):
    page = site.visitor(site.staff).get("/complaints")
    assert page.status == 200, page.text
    assert "Nothing was sent yet" in page.text
    assert "Nothing was sent yet" in site.visitor(site.member).get("/complaints").text
    assert "Nothing fits" in site.visitor(site.staff).get(f"/complaints?client={site.firm.tenant}").text


def test_the_figures_of_a_quarter(site):
    loop = made.quarter(site.operator, site.firm)
    staff = site.visitor(site.staff)
    page = staff.get("/complaints?weeks=12").text
    seen = text(page)
    assert "22 of" in seen
    for words in ("Within the target", "Yahoo CFL", "mailgun", "Without a template", "INC-2025-", 'class="c-line"'):
        assert words in page, words
    assert page.count('style="') == 0
    narrowed = text(staff.get(f"/complaints?source={loop}").text)
    assert "10 of" in narrowed, narrowed
    of_template = staff.get(f"/complaints?weeks=4&template={site.firm.template}").text
    assert "of 24,000 in all" in text(of_template), text(of_template)


def test_a_message_counts_once_whoever_told_of_it(site):
    made.sent(site.operator, site.firm.tenant, 2_000, 1)
    message = made.uuid7(made.ago(1))
    made.complaint(site.operator, site.firm, 1.0, message=message)
    made.complaint(site.operator, site.firm, 0.9, message=message, loop=made.loop(site.operator))
    page = text(site.visitor(site.staff).get("/complaints").text)
    assert "1 of 2,000 messages sent" in page
    assert "0.050" in page


def test_a_target_too_low_for_the_scale_is_said(site):
    made.sent(site.operator, site.firm.tenant, 10, 1)
    made.complaint(site.operator, site.firm, 1)
    assert "Target: 0.05 %, on the base line at this scale" in text(
        site.visitor(site.staff).get("/complaints").text
    ).replace("\xa0", " ")


def test_fewer_than_the_sample_say_nothing(site):
    made.sent(site.operator, site.firm.tenant, 400, 1)
    made.complaint(site.operator, site.firm, 1)
    page = site.visitor(site.staff).get("/complaints").text
    assert "a share of fewer than 1,000 messages says nothing" in page
    assert "Above the target" not in page


def test_a_client_sees_its_own_alone(site):
    other = make_firm(site.operator, "zebra")
    made.sent(site.operator, site.firm.tenant, 3_000, 1)
    made.sent(site.operator, other.tenant, 5_000, 1)
    made.complaint(site.operator, site.firm, 1)
    for _ in range(3):
        made.complaint(site.operator, other, 1)
    made.from_template(site.operator, other.tenant, other.template, 777, 1)
    member = site.visitor(site.member)
    for path in ("/complaints", f"/complaints?client={other.tenant}", f"/complaints?template={other.template}"):
        page = member.get(path).text
        assert "zebra" not in text(page).lower(), path
        for figure in ("5,000", "8,000", "777", "4 of"):
            assert figure not in text(page), (path, figure)
    assert "1 of 3,000" in text(member.get("/complaints").text)
    whole = site.visitor(site.staff)
    assert "4 of 8,000" in text(whole.get("/complaints").text)
    assert "3 of 5,000" in text(whole.get(f"/complaints?client={other.tenant}").text)
    assert "777" not in member.get("/complaints.csv").text


def test_the_file_says_what_the_page_says(site):
    made.quarter(site.operator, site.firm)
    answer = site.visitor(site.staff).get("/complaints.csv?weeks=12")
    assert answer.headers["Content-Type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.text)))
    assert sum(int(each["complained"]) for each in lines if each["by"] == "week") == 22
    assert {each["by"] for each in lines} == {"week", "client", "template", "source"}
    assert {each["by"] for each in csv.DictReader(io.StringIO(site.visitor(site.member).get("/complaints.csv").text))} == {
        "week", "template", "source",
    }  # fmt: skip


@pytest.mark.parametrize("query", ["weeks=9&client=x&template=y&source=%00", "weeks=-1&template=" + "9" * 400])
def test_what_nobody_offers_is_not_asked_for(site, query):
    assert site.visitor(site.staff).get(f"/complaints?{query}").status == 200


def test_a_marked_template_says_so(site):
    case = made.complaint(site.operator, site.firm, 1)
    site.operator.database.fill(
        "INSERT INTO template_flag (id, tenant_id, subject, snapshot_id, version, why, complaint_id, since)"
        " SELECT gen_random_uuid(), tenant_id, template_subject, template_snapshot, 1, 'complaint', id, at FROM complaint"
    )
    made.from_template(site.operator, site.firm.tenant, site.firm.template, 10, 1)
    page = site.visitor(site.member).get("/complaints").text
    assert "waits for its review" in page
    assert f'href="/templates/{site.firm.template}"' in page
    assert f'href="/incidents/{case}"' in page


def test_messages_of_templates_are_counted_by_the_hour(operator, firm):
    partitions(firm, 1)  # a day ago may be last week
    person = firm.person("ann@people.example")
    snapshot = operator.snapshot(firm.template)
    for days, state in ((0.0, 5), (0.0, 6), (0.0, 2), (1.0, 5)):
        email, message = made.uuid7(made.ago(days)), made.uuid7(made.ago(days))
        operator.database.fill(
            "INSERT INTO email (id, tenant_id, category_id, category_snapshot, template_snapshot, policy_digest, created_at, recipients)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, 1)",
            email, firm.tenant, firm.category, operator.snapshot(firm.category), snapshot, bytes(32), made.ago(days),
        )  # fmt: skip
        operator.database.fill(
            "INSERT INTO message (id, email_id, tenant_id, person_id, blind_index, category_id, field, created_at, decision_ct, state, state_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, 1, %s, '\\x02', %s, %s)",
            message, email, firm.tenant, person, bytes(32), firm.category, made.ago(days), state, made.ago(days),
        )  # fmt: skip
    for days in (1, 60):
        made.sent(operator, firm.tenant, 1, days)
    flow = operator.database.open("troth_flow")

    def count():
        while flow.execute("SELECT template_hours_v1(24)").fetchone()[0]:
            pass
        return operator.admin.execute("SELECT sum(sent) FROM template_hour").fetchone()[0]

    assert flow.execute("SELECT template_hours_v1(24)").fetchone()[0] == 5, "no empty hour keeps others waiting"
    assert count() == 3
    operator.database.fill("UPDATE message SET state = 5 WHERE state = 2")
    assert count() == 3, "it was counted a moment ago"
    operator.admin.execute(
        "UPDATE installation SET clock_offset = coalesce(clock_offset, interval '0') + interval '7 hours'"
    )
    assert count() == 4


def test_a_chart_has_gaps_where_nothing_was_sent():
    week = date(2026, 11, 2)
    assert trend.chart([trend.Week(0, 0, day=week)] * 3) is None
    found = trend.chart([trend.Week(1000, 1, day=week), trend.Week(0, 0, day=week), trend.Week(1000, 0, day=week)])
    assert found.line == "M0 0H6M480 200H474" or found.line.startswith("M0 ")
    assert found.marks[0] >= 0.001
    assert trend.chart([trend.Week(10, 0, day=week)] * 4).line.count("L") == 3


def test_others_in_the_house_see_it_too(site):
    support = site.visitor(pages.join(site.operator, "S <s@operator.test>", "support"))
    assert support.get("/complaints").status == 200
    assert support.get("/complaints/reviews").status in (403, 404)
