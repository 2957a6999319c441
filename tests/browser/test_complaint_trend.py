"""The trend of complaints, looked at, and a month of it reviewed and signed."""

import re

from tests.support import complained_of as made


def test_the_trend_and_a_month_that_is_signed(look, site):
    looker = look(site.staff)
    looker.look_at("/complaints", "complaints-none")
    looker.look_at("/complaints/reviews", "complaint-reviews-none")
    review = f"/complaints/review/{site.firm.programme}"
    looker.look_at(review, "complaint-review-nothing")
    told = made.quarter(site.operator, site.firm)
    looker.look_at("/complaints", "complaints")
    looker.look_at(f"/complaints?weeks=26&source={told}", "complaints-of-a-provider")
    looker.look_at("/complaints/reviews", "complaint-reviews-late")
    looker.look_at(review, "complaint-review")
    looker.go(review)
    page = looker.page
    page.get_by_role("button", name="Sign the review").click()
    assert page.locator("[aria-invalid=true]").count() >= 1
    looker.picture("complaint-review-faults")
    looker.console.clear()  # the 422 of it
    groups = page.get_by_role("radio", name=re.compile("Accept"))
    for n in range(groups.count()):
        groups.nth(n).check()
    page.get_by_role("radio", name=re.compile("Follow up")).first.check()
    page.get_by_label(re.compile("^Note")).first.fill("The reminder is sent twice to whoever moved: asked the client.")
    page.get_by_label(re.compile("^What you looked at")).fill("All clients. One template is followed up.")
    page.get_by_role("button", name="Sign the review").click()
    assert re.search(r"/complaints/reviews/[0-9a-f-]{36}$", page.url), page.url
    assert "became an incident" in page.content()
    looker.look_at(page.url.removeprefix(site.url), "complaint-reviewed")
    looker.look_at("/complaints/reviews", "complaint-reviews")
    look(site.member).look_at("/complaints", "complaints-client")
