"""The pages of cases: found by whoever may see them, taken step by step without script, and told as a record."""

import json
import re
from datetime import timedelta

import pytest
from tests.control.incidents.cast import later, note, opened
from tests.control.ledger.house import House
from tests.support import pages

from troth.rules import cases
from troth.rules.profile import load_profile


@pytest.fixture
def case(site):
    return opened(
        site.operator, tenant=site.firm.tenant, clocks=[("told", 1), ("review", 20)], words="It came by a loop."
    )


def test_a_complaint_from_arrival_to_its_end(site, case):
    note(site.operator, case, paper=b"Feedback-Type: abuse\r\n\r\n<b>not bold</b>")
    staff = site.visitor(site.staff)
    listed = staff.get("/incidents").text
    assert re.search(r"INC-\d{4}-0001", listed)
    page = staff.get(f"/incidents/{case}").text
    assert "It came by a loop." in page
    assert "Nobody has taken it on yet" in page
    staff.get(f"/incidents/{case}/acknowledge")
    assert "Acknowledged" in staff.post(f"/incidents/{case}/acknowledge", words="").text
    refused = staff.get(f"/incidents/{case}/resolve").text
    assert "Client success was not told yet" in refused
    answer = staff.post(f"/incidents/{case}/resolve", value="justified", words="The list was old.")
    assert (answer.status, "Tell client success first" in answer.text) == (422, True)
    assert "The list was old." in answer.text, "what was typed stays"
    staff.get(f"/incidents/{case}/tell")
    assert staff.post(f"/incidents/{case}/tell", words="").status == 422
    staff.post(f"/incidents/{case}/tell", words="Ada, by telephone")
    staff.get(f"/incidents/{case}/resolve")
    wrong = staff.post(f"/incidents/{case}/resolve", value="", words="")
    assert wrong.status == 422
    assert "Choose one of these." in wrong.text
    assert "Say it in words" in wrong.text
    assert (
        "Root cause, and what was done"
        in staff.post(f"/incidents/{case}/resolve", value="justified", words="The list was old.").text
    )
    staff.get(f"/incidents/{case}/close")
    assert "Closed" in staff.post(f"/incidents/{case}/close", words="").text
    assert "Nothing is open" in staff.get("/incidents").text
    assert "INC-" in staff.get("/incidents?state=closed").text
    staff.get(f"/incidents/{case}/reopen")
    assert "Reopened" in staff.post(f"/incidents/{case}/reopen", words="It came again").text


def test_a_paper_is_opened_as_text_and_leaves_an_entry(site, case):
    note(site.operator, case, paper=b"Feedback-Type: abuse\r\n\r\n<b>not bold</b>")
    staff = site.visitor(site.staff)
    page = staff.get(f"/incidents/{case}").text
    where = re.search(r'action="(/incidents/[^"]+/papers/[^"]+)"', page)[1]
    shown = staff.post(where)
    assert "&lt;b&gt;not bold&lt;/b&gt;" in shown.text
    given = staff.post(where, **{"as": "file"})
    assert given.headers["Content-Type"] == "application/octet-stream"
    assert "<b>not bold</b>" in given.text
    staff.get(f"/incidents/{case}")
    assert staff.last.count("A paper was opened") == 2
    assert staff.get(where).status == 405


def test_a_clients_people_see_their_incidents_and_nothing_else(site, case):
    abuse = opened(site.operator, "abuse", tenant=site.firm.tenant)
    note(site.operator, case, paper=b"octets")
    member, outsider = site.visitor(site.member), site.visitor(site.outsider)
    page = member.get(f"/incidents/{case}").text
    assert "It came by a loop." in page
    assert "papers" not in page
    assert "What next" not in page
    assert member.get(f"/incidents/{abuse}").status == 404
    assert "ABU-" not in member.get("/incidents").text
    assert member.get(f"/incidents/{case}/acknowledge").status == 404
    assert outsider.get(f"/incidents/{case}").status == 404
    assert outsider.get(f"/incidents/{case}/record.json").status == 404
    assert json.loads(member.get(f"/incidents/{case}/record.json").text)["papers"] == []


def test_the_list_is_narrowed_searched_and_paged(site):
    for number in range(53):
        opened(
            site.operator,
            "abuse" if number % 2 else "incident",
            key=f"k{number}",
            clocks=[("review", 1)] if number == 0 else [],
        )
    staff = site.visitor(site.staff)
    first = staff.get("/incidents").text
    assert first.count('<th role="rowheader"') == 50
    older = re.search(r'rel="next" href="([^"]+)"', first)[1].replace("&amp;", "&")
    assert staff.get(older).text.count('<th role="rowheader"') == 3
    assert "INC-" not in staff.get("/incidents?kind=abuse").text.partition("<tbody")[2]
    found = staff.get("/incidents?q=abu").text.partition("<tbody")[2]
    assert ("ABU-" in found, "INC-" in found) == (True, False)
    assert "No case fits" in staff.get("/incidents?q=VDP-1999").text
    assert "No case fits" in staff.get("/incidents?overdue=1").text
    assert "No case fits" in staff.get("/incidents?mine=1").text
    assert staff.get("/incidents?before=nonsense&kind=%00&state=x&q=%00").status == 200


def test_an_owner_is_given_and_it_is_theirs(site, case):
    staff = site.visitor(site.staff)
    page = staff.get(f"/incidents/{case}/assign").text
    assert site.staff.name in page
    assert site.member.name not in page
    assert staff.post(f"/incidents/{case}/assign", value="nobody-such", words="").status == 422
    assert (
        f"Given to {site.staff.name}"
        in staff.post(f"/incidents/{case}/assign", value=str(site.staff.account), words="").text
    )
    assert "INC-" in staff.get("/incidents?mine=1").text


def test_what_is_owed_stands_on_the_first_page(site, case):
    staff = site.visitor(site.staff)
    assert "somebody tells client success" in staff.get("/").text
    later(site.operator, 1.1 / 24)
    again = site.visitor(site.staff)
    page = again.get("/").text
    assert re.search(r"INC-\d+-0001: somebody tells client success", page)
    assert "was due" in page
    assert "Missed" in again.get(f"/incidents/{case}").text
    assert "INC-" in again.get("/incidents?overdue=1").text
    assert "INC-" not in site.visitor(site.member).get("/").text.partition("</aside>")[2]


def test_a_step_that_is_none_any_more_says_how_it_stands(site, case):
    staff = site.visitor(site.staff)
    staff.get(f"/incidents/{case}/acknowledge")
    staff.post(f"/incidents/{case}/acknowledge", words="")
    assert "is acknowledged by now" in staff.get(f"/incidents/{case}/acknowledge").text
    assert staff.get(f"/incidents/{case}/nothing").status == 404


def test_a_look_at_a_role_that_only_looks(site, case):
    auditor = site.visitor(pages.join(site.operator, "Ada Looker <ada@operator.test>", "auditor"))
    page = auditor.get(f"/incidents/{case}").text
    assert "Your role looks on here" in page
    assert auditor.get(f"/incidents/{case}/acknowledge").status == 404


def test_a_disclosure_is_assessed_with_its_severity_and_its_patch_has_a_clock(site):
    at = site.operator.admin.execute("SELECT now_v1()").fetchone()[0]
    found = cases.clocks("disclosure", "letter", load_profile("property").policy, at)
    hours = [(each.name, (each.due_at - at).total_seconds() / 3600) for each in found]
    case = opened(site.operator, "disclosure", clocks=hours, cause="letter")
    staff = site.visitor(site.staff)
    staff.get(f"/incidents/{case}/acknowledge")
    staff.post(f"/incidents/{case}/acknowledge", words="")
    staff.get(f"/incidents/{case}/assess")
    assert staff.post(f"/incidents/{case}/assess", value="grave", words="x").status == 422
    page = staff.post(f"/incidents/{case}/assess", value="critical", words="Anybody reads anything.").text
    assert "Patched" in page
    assert "5 business days, in Europe/London, 09:00 to 17:00" in page
    until = next(each.due_at for each in found if each.name == "assess")
    weekend = any((at + timedelta(days=n)).weekday() > 4 for n in range((until - at).days + 1))
    assert ("Not counted" in page) is weekend  # from a Monday's morning five business days have none
    record = json.loads(staff.get(f"/incidents/{case}/record.json").text)
    assert [(each["name"], each["missed"]) for each in record["clocks"]] == [
        ("acknowledge", False), ("assess", False), ("patch", False)]  # fmt: skip
    assert [each["kind"] for each in record["entries"]] == ["open", "acknowledge", "assess"]
    assert record["severity"] == "critical"


def test_each_entry_leads_to_its_leaf_of_the_ledger(site, case, tmp_path):
    abuse = opened(site.operator, "abuse", tenant=site.firm.tenant)
    (tmp_path / "ledger").mkdir()
    House(site.firm, tmp_path / "ledger").seal()
    member, staff = site.visitor(site.member), site.visitor(site.staff)
    (entry,) = json.loads(member.get(f"/incidents/{case}/record.json").text)["entries"]
    assert entry["proof"].endswith(f"/ledger/entries/{entry['leaf']}")
    assert f'href="/ledger/entries/{entry["leaf"]}"' in member.get(f"/incidents/{case}").text
    assert "cases:incident:open" in member.get(f"/ledger/entries/{entry['leaf']}").text
    (other,) = json.loads(staff.get(f"/incidents/{abuse}/record.json").text)["entries"]
    assert "cases:abuse:open" in staff.get(f"/ledger/entries/{other['leaf']}").text
    assert "cases:abuse" not in member.get("/ledger").text
