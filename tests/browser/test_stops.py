"""Emergency stops and named individuals, looked at: with nothing stopped, in the act, and with stops in force."""

import re

from tests.browser.seeding import busy
from tests.support import pages
from tests.support.firm import make_firm


def test_stops_are_looked_at(look, site):
    looker = look(site.member)
    looker.look_at("/stops", "stops-none")
    looker.look_at("/stops/start", "stop-start")
    busy(site)
    member = site.visitor(site.member)
    member.get("/stops/start")
    member.post(
        "/stops/start", effect="stop-delivery", reason="The amounts of December are wrong in every letter of today."
    )
    site.operator.admin.execute(
        "SELECT pause_v1(ARRAY[NULL]::uuid[], 'stop-new', 'A worm among the operator''s programs', 'anomaly')"
    )
    looker.look_at("/stops", "stops")
    link = re.search(r'href="(/stops/[0-9a-f-]+/release)"', member.get("/stops").text)[1]
    looker.look_at(link, "stop-release")


def test_the_named_are_looked_at(look, site):
    firm = make_firm(site.operator, "corbel", "construction")
    looker = look(pages.join(site.operator, "Corbinian Brother <admin@corbel.test>", "admin", firm.tenant))
    looker.look_at("/designation", "designation")
