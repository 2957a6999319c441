"""Notices to be served otherwise and reports of abuse, looked at: with nothing, in the list, in the act, and done."""

from tests.control.privacy.test_pages import reported, staff, waiting


def test_services_and_reports_are_looked_at(look, site):
    looker = look(site.member)
    looker.look_at("/services", "services-none")
    made, late, done = waiting(site), waiting(site, "-1 hour"), waiting(site)
    member = site.visitor(site.member)
    member.get(f"/services/{done}")
    member.post(f"/services/{done}", how="post", note="Recorded delivery RR 123 456 789 GB, 22 November")
    looker.look_at("/services", "services")
    looker.look_at(f"/services/{made}", "service")
    assert late
    report = reported(site, "I never rented anything, and they write to me every week.")
    operator = look()
    operator.take(staff(site, "security"))
    operator.look_at("/abuse", "abuse")
    operator.look_at(f"/abuse/{report}", "abuse-report")
