"""Cases, looked at: the list in its states, a complaint from arrival to its end, a step, a paper."""

import re

from tests.control.incidents.cast import later, note, opened


def test_cases_are_looked_at(look, site):
    looker = look(site.staff)
    looker.look_at("/incidents", "cases-none")
    firm = site.firm.tenant
    case = opened(
        site.operator, tenant=firm, clocks=[("told", 1), ("review", 28)], words="It came by the loop of Yahoo."
    )
    note(site.operator, case, paper=b"Feedback-Type: abuse\r\nUser-Agent: Loop/1.0\r\n\r\nTo: somebody\r\n")
    opened(site.operator, "abuse", cause="letter", clocks=[("acknowledge", 24), ("resolve", 120)])
    report = opened(site.operator, "disclosure", cause="form", clocks=[("acknowledge", 48), ("assess", 170)])
    pattern = opened(site.operator, tenant=firm, clocks=[("review", 0.2)], cause="complaint-pattern")
    later(site.operator, 0.5 / 24)
    site.operator.database.open("troth_flow").execute("SELECT case_duty_v1()")
    looker = look(site.staff)
    looker.look_at("/incidents", "cases")
    looker.look_at("/incidents?q=nothing", "cases-no-match")
    looker.look_at("/", "home-with-cases")
    looker.look_at(f"/incidents/{case}", "case-open")
    looker.look_at(f"/incidents/{pattern}", "case-pattern")
    staff = site.visitor(site.staff)
    for step, given in (
        ("acknowledge", {}),
        ("tell", {"words": "Ada, by telephone"}),
        ("assign", {"value": str(site.staff.account)}),
    ):
        staff.get(f"/incidents/{case}/{step}")
        staff.post(f"/incidents/{case}/{step}", **{"words": "", **given})
    looker.look_at(f"/incidents/{case}/resolve", "case-resolve")
    staff.get(f"/incidents/{case}/resolve")
    staff.post(
        f"/incidents/{case}/resolve", value="justified", words="The list was older than its consent.\n\nIt was cut."
    )
    looker.look_at(f"/incidents/{case}", "case-resolved")
    looker.look_at(f"/incidents/{report}", "case-disclosure")
    looker.page.set_viewport_size({"width": 1440, "height": 900})
    looker.go(f"/incidents/{case}")
    looker.page.get_by_role("button", name=re.compile("Open the letter")).click()
    looker.picture("case-paper")
    looker = look(site.member)
    looker.look_at(f"/incidents/{case}", "case-client")
