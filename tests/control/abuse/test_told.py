"""What a reporter is told of our mail, and where staff find the desks' cases."""

from tests.control.abuse.reporting import ABUSE, WEAKNESS, fill, rows
from tests.control.abuse.test_views import act, only, staff, step
from tests.support.pages import Visitor


def test_of_our_mail_only_what_can_be_kept_is_promised(site):
    first = fill(Visitor(site.url), "/report-abuse", ABUSE).text
    assert "If we can, we mail you this reference." in first
    second = fill(Visitor(site.url), "/report-abuse", {**ABUSE, "words": "And once more."}).text
    assert "This time no mail goes to the address that you left" in second
    assert "If we can, we mail you" not in second
    without = fill(Visitor(site.url), "/report-abuse", {**ABUSE, "address": ""}).text
    assert "You left no address, so keep the reference" in without


def test_a_report_that_is_sent_twice_says_what_the_first_said(site):
    visitor = Visitor(site.url)
    visitor.get("/report-abuse")
    done = fill(visitor, "/report-abuse", ABUSE)
    again = visitor.get(done.url.removeprefix(site.url).replace("?mailed", "?kept")).text
    assert "If we can, we mail you this reference." in again


def test_the_desks_are_found_from_cases(site):
    one = staff(site)
    for path in ("/incidents", "/abuse/cases", "/disclosures"):
        page = one.get(path).text
        tabs = page.partition('aria-label="Desks">')[2].partition("</nav>")[0]
        assert tabs.count("<a ") == 3
        assert f'<a href="{path}" aria-current="page">' in tabs
    support = staff(site, "support").get("/incidents").text
    assert 'href="/disclosures"' not in support.partition('aria-label="Desks">')[2].partition("</nav>")[0]
    assert 'aria-label="Desks"' not in site.visitor(site.member).get("/incidents").text


def test_the_client_that_a_person_named_is_shown_wherever_the_case_is(site):
    fill(Visitor(site.url), "/report-abuse", ABUSE)
    case, one = only(site), staff(site)
    act(one, f"/abuse/cases/{case}/client", client=str(site.firm.tenant))
    for path in ("/abuse/cases", "/incidents", f"/abuse/cases/{case}"):
        main = one.get(path).text.partition("<main")[2]
        assert "Firm firm" in main.partition('id="desk"')[0], path


def test_nobody_is_thanked_before_somebody_presses(site):
    fill(Visitor(site.url), "/security", WEAKNESS)
    case, one = only(site), staff(site)
    step(one, case, "acknowledge", words="")
    step(one, case, "update", words="By telephone.")
    step(one, case, "assess", value="low", words="Hardly anything.")
    step(one, case, "resolve", value="fixed", words="Mended.")
    public = Visitor(site.url).get("/security").text
    assert "when one of us has published the name" in public
    assert "Ada Finder" not in public
    assert "Ada Finder waits to be thanked" not in one.get("/").text  # a name is for the case alone
    assert "who reported it waits to be thanked" in one.get("/").text
    act(one, f"/disclosures/{case}/credit", what="")
    assert "Ada Finder" in Visitor(site.url).get("/security").text
    assert "waits to be thanked" not in one.get("/").text


def test_a_fresh_report_stands_on_the_first_page(site):
    fill(Visitor(site.url), "/report-abuse", ABUSE)
    fill(Visitor(site.url), "/security", WEAKNESS)
    page = staff(site).get("/").text
    assert "ABU-" in page
    assert "VDP-" in page


def told(site):
    return rows(site, "SELECT met_at IS NOT NULL FROM case_clock WHERE name = 'acknowledge'")


def test_taking_a_case_on_tells_its_reporter_nothing(site):
    fill(Visitor(site.url), "/report-abuse", ABUSE)
    case, one = only(site), staff(site)
    asked = one.get(f"/incidents/{case}/acknowledge").text
    assert "Its reporter is not told by this" in asked
    done = step(one, case, "acknowledge", words="").text
    assert "is acknowledged, and looked after" in done
    assert "looks after it" in done
    assert "Nobody has taken it on" not in done
    assert told(site) == [(False,)]
    assert "This sends nothing" in one.get(f"/incidents/{case}/update").text
    assert one.post(f"/incidents/{case}/update", words="").status == 422
    page = step(one, case, "update", words="I rang them at noon.").text
    assert "How its reporter was told otherwise" in page
    assert told(site) == [(True,)]
