"""Cases in words: every step says what it did, every cause why, and a pattern leads to what it is made of."""

from tests.control.incidents.cast import opened, step

from troth.control.complaints import monthly_words
from troth.control.incidents import words
from troth.control.reports import words as report_words
from troth.rules import cases


def test_every_step_has_its_words_before_and_after():
    names = {each.name for each in cases.STEPS}
    assert set(words.STEPS) == set(words.DONE) == names
    for name in names:
        assert words.done(name, "INC-1", "x").startswith("INC-1")
    assert "nobody" in words.done("assign", "INC-1", "")


def test_the_title_of_a_followed_finding_is_the_pages_own_words(operator):
    for function, titles in (("dmarc_review_v1", report_words.TITLES), ("complaint_review_v1", monthly_words.TITLES)):
        (body,) = operator.admin.execute("SELECT prosrc FROM pg_proc WHERE proname = %s", (function,)).fetchone()
        for kind, title in titles.items():
            said = title if title.startswith("TLS") else title[:1].lower() + title[1:]
            assert f"WHEN '{kind}' THEN '{said}'" in " ".join(body.split()), kind


def test_a_pattern_leads_to_its_incidents_and_to_the_stop(site):
    for _ in range(2):
        opened(site.operator, tenant=site.firm.tenant)
    opened(site.operator, tenant=site.other.tenant)
    pattern = opened(site.operator, tenant=site.firm.tenant, cause="complaint-pattern", clocks=[("told", 1)])
    staff = site.visitor(site.staff)
    page = staff.get(f"/incidents/{pattern}").text
    part = page.partition('id="pattern"')[2].partition("</section>")[0]
    assert part.count("INC-") == 2
    assert 'href="/stops"' in part
    first = site.operator.admin.execute("SELECT id FROM case_file WHERE cause = 'complaint' LIMIT 1").fetchone()[0]
    assert 'id="pattern"' not in staff.get(f"/incidents/{first}").text


def test_what_waits_for_nothing_is_not_offered(site):
    bare, owed = opened(site.operator, cause="domain"), opened(site.operator, clocks=[("told", 1)])
    staff = site.visitor(site.staff)
    page = staff.get(f"/incidents/{bare}").text
    assert "Client success was told" not in page
    assert "DNS records stopped holding" in page
    assert "Client success was told" in staff.get(f"/incidents/{owed}").text
    assert "No clock depends on it" in staff.get(f"/incidents/{bare}/severity").text
    assert "INC-" in staff.get("/").text


def test_whoever_acknowledges_has_it_unless_somebody_does(operator, firm):
    case = opened(operator, tenant=firm.tenant)
    step(operator, case, "acknowledge", operator.sessions[0])
    owner = "SELECT owner_account IS NOT NULL FROM case_file WHERE id = %s"
    assert operator.admin.execute(owner, (case,)).fetchone() == (True,)
