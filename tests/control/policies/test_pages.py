"""Policies as pages: what is in force, a number made stricter through a draft and a second person, promises that forbid."""

import re
from urllib.parse import urlencode
from urllib.request import Request

import pytest
from tests.support import pages


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


def proved(site, who):
    """A visitor in whose session a second factor was shown."""
    visitor = site.visitor(who)
    site.operator.admin.execute(
        "UPDATE session SET second_factor_at = now_v1(), proved_at = now_v1() WHERE account_id = %s", (who.account,)
    )
    return visitor


def look_at(visitor, site, firm):
    visitor.get("/")
    assert visitor.post("/scope", client=str(firm.tenant)).status == 200


def said(text):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)).replace("\N{NO-BREAK SPACE}", " ")


def typed(text):
    """What the form holds, as a browser would send it back."""
    inputs = re.findall(r'<input class="input"[^>]*? name="([^"]+)" value="([^"]*)"', text)
    ticked = re.findall(r'<input type="checkbox" [^>]*?name="([^"]+)" value="([^"]+)" checked', text)
    revision = re.search(r'name="revision" value="(\d+)"', text)
    return {**dict(inputs), "revision": revision[1]}, ticked


def send(visitor, path, site, **changed):
    """The form as it stands, with changes; every box ticked that was."""
    fields, ticked = typed(visitor.get(path).text)
    return post(
        visitor,
        path,
        site,
        {**fields, **{n if "-" in n else n.replace("_", "-", 1): v for n, v in changed.items()}},
        ticked,
    )


def post(visitor, path, site, fields, ticked):
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', visitor.last)[1]
    body = urlencode([*fields.items(), *ticked, ("csrfmiddlewaretoken", token)]).encode()
    return visitor._ask(Request(site.url + path, body, {"Origin": site.url, "Referer": site.url + path}))


def test_a_member_sees_the_numbers_in_force_in_words(site):
    text = said(proved(site, site.member).get("/policies").text)
    assert "Pause new mail when today exceeds 150 % of the 7-day average" in text
    assert "LIM-3" in text
    assert "An API key lives for at most 90 days" in text


def test_a_clients_admin_makes_a_number_stricter_and_the_operator_approves(site):
    visitor = proved(site, site.member)
    fields, _ = typed(visitor.get("/policies/client/edit").text)
    assert fields["limits-tenant_hour"] == ""
    answer = send(visitor, "/policies/client/edit", site, limits_tenant_hour="800", access_key_days="30")
    assert answer.url.endswith("/policies/client/review")
    text = said(answer.text)
    assert "At most 800 messages in an hour" in text
    assert "messages in an hour, as it stands above" in text, "what holds now is said, not only that it stands above"
    assert "An API key lives for at most 30 days" in text
    assert site.operator.admin.execute(
        "SELECT count(*) FROM change WHERE kind = 'policy' AND state = 1"
    ).fetchone() == (0,)
    refused = visitor.post("/policies/client/review", act="propose", reason=" ")
    assert refused.status == 422
    assert "Say why" in said(refused.text)
    visitor.post("/policies/client/review", act="propose", reason="Fewer are enough")
    change, digest = site.operator.admin.execute(
        "SELECT id, digest FROM change WHERE kind = 'policy' AND state = 1 AND code = 'tenant'"
    ).fetchone()
    assert "The client’s policy waits for a second person" in said(proved(site, site.staff).get("/").text)
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[1]))
    shown = said(visitor.get("/policies").text)
    assert "At most 800 messages in an hour" in shown
    assert "Promise: At most 1,000,000 messages in an hour" in shown


def test_a_limit_below_what_is_spent_is_not_proposed(site):
    visitor = proved(site, site.member)
    send(visitor, "/policies/client/edit", site, limits_tenant_hour="800")
    site.operator.database.fill(
        "INSERT INTO rate_counter VALUES (%s, 1, %s, date_trunc('hour', now_v1(), 'UTC'), 801, 1000000)",
        site.firm.tenant, site.firm.tenant,
    )  # fmt: skip
    refused = visitor.post("/policies/client/review", act="propose", reason="Fewer are enough")
    assert refused.status == 422
    text = said(refused.text)
    assert "A limit of 800 lies below what is spent already: Firm firm has sent 801 messages in this hour" in text
    assert "Fewer are enough" in refused.text, "what was typed stays"
    assert site.operator.admin.execute(
        "SELECT count(*) FROM change WHERE kind = 'policy' AND state = 1"
    ).fetchone() == (0,)


def test_a_looser_number_is_refused_with_the_promise_that_forbids_it(site):
    visitor = proved(site, site.member)
    answer = send(visitor, "/policies/client/edit", site, anomaly_percent="200", access_sessions="many")
    assert answer.status == 422
    text = said(answer.text)
    assert "is looser than the promise allows" in text
    assert re.search(r"LIM-3 promises: “[^”]*150 %", text)
    assert "Give 150 or less" in text
    assert "“many” is no whole number of sessions" in text
    assert 'value="200"' in answer.text
    assert 'href="#f-anomaly-percent"' in answer.text
    assert re.search(
        r'id="f-anomaly-percent"[^>]*aria-invalid="true"[^>]*aria-describedby="f-anomaly-percent-e', answer.text
    )
    assert site.operator.admin.execute("SELECT count(*) FROM draft").fetchone() == (0,)


WRONG = [
    ("limits_tenant_hour", "-1", "no whole number"),
    ("limits_tenant_hour", "1.5", "no whole number"),
    ("limits_tenant_hour", "9" * 30, "no whole number"),
    ("limits_tenant_hour", "<script>", "no whole number"),
    ("access_idle_minutes", "4", "from 5 to 30"),
    ("access_idle_minutes", "2 h", "from 5 to 30"),
    ("access_idle_minutes", "3 fortnights", "no whole number of minutes (h and d work, too)"),
    ("governance_approvers", "6", "from 1 to 5"),
    ("records_access_days", "30", "Give 365 or more"),
    ("anomaly_action", "panic", "must be one of"),
    ("content_raw", "perhaps", "Choose one"),
]


def test_what_cannot_be_is_said_at_its_field_and_nothing_is_saved(site):
    visitor = proved(site, site.member)
    for field, value, says in WRONG:
        answer = send(visitor, "/policies/client/edit", site, **{field: value})
        assert answer.status == 422, (field, value)
        assert says in said(answer.text), (field, value)
        assert "<script>" not in answer.text
    assert site.operator.admin.execute("SELECT count(*) FROM draft").fetchone() == (0,)
    assert send(visitor, "/policies/client/edit", site, content_raw="yes").status == 200


def test_two_people_on_one_draft_see_both(site):
    one, other = proved(site, site.member), proved(site, site.staff)
    look_at(other, site, site.firm)
    send(one, "/policies/client/edit", site, limits_tenant_hour="800")
    fields, ticked = typed(one.get("/policies/client/edit").text)
    assert (fields["revision"], fields["limits-tenant_hour"]) == ("1", "800")
    assert send(other, "/policies/client/edit", site, limits_tenant_hour="700").status == 200
    late = post(one, "/policies/client/edit", site, {**fields, "limits-tenant_hour": "600"}, ticked)
    assert late.status == 409
    assert "Somebody has saved this draft" in said(late.text)
    assert "<del>At most 700" in late.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "<ins>At most 600" in late.text.replace("\N{NO-BREAK SPACE}", " ")
    again, ticked = typed(late.text)
    assert again["revision"] == "2"
    assert post(one, "/policies/client/edit", site, again, ticked).url.endswith("/review")
    wrote = site.operator.admin.execute("SELECT count(*) FROM draft_author").fetchone()
    assert wrote == (2,)
    assert one.post("/policies/client/review", act="discard").url.endswith("/policies")
    assert site.operator.admin.execute("SELECT count(*) FROM draft").fetchone() == (0,)
    assert one.get("/policies/client/review").url.endswith("/policies/client/edit")


def test_what_a_category_contradicts_is_not_proposed(site):
    operator, firm = site.operator, site.firm
    category = {"name": "Few", "purpose": "few", "sender": {"name": "F", "address": f"few@{firm.name}"},
                "legal_class": "transactional", "raw": True, "policy": {"limits": {"tenant_hour": 90}}}  # fmt: skip
    operator.govern("category", firm.tenant, "few", category)
    visitor = proved(site, site.member)
    assert "Stricter in category Few: at most 90 messages in an hour" in said(visitor.get("/policies").text)
    answer = send(visitor, "/policies/client/edit", site, limits_tenant_hour="50")
    assert "category few" in said(answer.text)
    refused = visitor.post("/policies/client/review", act="propose", reason="less")
    assert refused.status == 422
    assert "may only lower" in said(refused.text)


def test_the_house_keeps_the_operators_own_and_the_promises(site):
    visitor = proved(site, site.staff)
    text = said(visitor.get("/policies").text)
    assert "the promises alone hold" in text
    assert send(visitor, "/policies/operator/edit", site, governance_approvers="2").url.endswith("/operator/review")
    visitor.post("/policies/operator/review", act="propose", reason="four eyes, and two more")
    row = "SELECT artefact, tenant_id FROM change WHERE kind = 'policy' AND state = 1"
    assert site.operator.admin.execute(row).fetchone() == ('{"governance":{"approvers":2}}', None)
    looser = send(visitor, "/policies/promise-p-other/edit", site, anomaly_percent="201")
    assert "is looser than the profile retail allows" in said(looser.text)
    assert visitor.get("/policies/client/edit").status == 404
    assert visitor.get("/policies/promise-none/edit").status == 404


def test_a_promise_is_tightened_as_a_whole(site):
    visitor = proved(site, site.staff)
    text = visitor.get("/policies/promise-p-other/edit").text
    fields, _ = typed(text)
    assert fields["access-key_days"] == "90"
    changed = {
        name: "" for name in fields if name.startswith("limits-")
    }  # the test's own are looser than the profile's
    answer = send(visitor, "/policies/promise-p-other/edit", site, **changed, access_key_days="60")
    assert "An API key lives for at most 60 days" in said(answer.text)


def test_a_plan_is_chosen_among_the_profiles_and_approved(site):
    visitor = proved(site, site.staff)
    assert "At most 1,000 messages in an hour" in said(visitor.get("/policies").text)
    path = f"/policies/plans/{site.other.tenant}"
    assert "The client is on the plan standard" in said(visitor.get(path).text)
    for fields, says in (({"plan": "gold", "reason": "x"}, "The plans here are free, standard and plus"),
                         ({"plan": "standard", "reason": "x"}, "choose another"),
                         ({"plan": "free", "reason": ""}, "Say why")):  # fmt: skip
        refused = visitor.post(path, **fields)
        assert refused.status == 422
        assert says in said(refused.text)
    visitor.post(path, plan="free", reason="They pay less")
    change = site.operator.admin.execute("SELECT id, digest FROM change WHERE kind = 'tenant' AND state = 1").fetchone()
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (*change, site.operator.sessions[1]))
    assert site.operator.admin.execute("SELECT plan FROM tenant WHERE id = %s", (site.other.tenant,)).fetchone() == (
        "free",
    )
    assert visitor.get(f"/policies/plans/{site.firm.tenant}").status == 404  # its profile has no plans


def test_whoever_may_not_propose_sees_and_does_nothing(site):
    viewer = pages.join(site.operator, "Vera View <vera@firm.test>", "viewer", site.firm.tenant)
    visitor = proved(site, viewer)
    text = visitor.get("/policies").text
    assert "Policies" in text
    assert "/policies/client/edit" not in text
    assert visitor.get("/policies/client/edit").status == 404
    assert visitor.post("/policies/client/review", act="propose", reason="x").status in (403, 404)
    outsider = proved(site, site.outsider)
    assert "Firm firm" not in outsider.get("/policies").text


def test_a_policy_is_proposed_with_a_second_factor_alone(site):
    """The database refuses, too: the session of somebody who showed a password alone proposes nothing."""
    alone = pages.join(site.operator, "Ada One <ada@firm.test>", "admin", site.firm.tenant, second=False)
    visitor = site.visitor(alone)
    for path in ("/policies/client/edit", "/policies/client/review"):
        assert "/policies" not in visitor.get(path).url.partition("?")[0]


def test_lengths_are_typed_as_people_write_them(site):
    visitor = proved(site, site.member)
    answer = send(visitor, "/policies/client/edit", site, cases_complaint_review="90 Minutes")
    assert "A complaint is reviewed within 90 min" in said(answer.text)
    for typed_words, says in (("5 h", "is looser than the promise allows"), ("soon", "must be a length"),
                              ("1 business day", "is looser than the promise allows")):  # fmt: skip
        refused = send(visitor, "/policies/client/edit", site, cases_complaint_review=typed_words)
        assert refused.status == 422
        assert says in said(refused.text)


def test_a_programme_names_its_business_time_and_no_level_below_does(site):
    visitor = proved(site, site.staff)
    fields, _ = typed(visitor.get("/policies/promise-p-other/edit").text)
    assert (fields["cases-zone"], fields["cases-country"]) == ("Europe/London", "GB-ENG")
    changed = {name: "" for name in fields if name.startswith("limits-")}
    given = {"cases_zone": "Asia/Tokyo", "cases_country": "none"}
    answer = send(visitor, "/policies/promise-p-other/edit", site, **changed, **given)
    assert "Business days and hours are those of Asia/Tokyo" in said(answer.text)
    assert "No public holiday counts" in said(answer.text)
    wrong = send(visitor, "/policies/promise-p-other/edit", site, **changed, cases_zone="Mars")
    assert "must be the name of a time zone" in said(wrong.text)
    assert "The promise alone says this" in said(visitor.get("/policies/operator/edit").text)


def test_the_waits_after_a_soft_bounce_get_shorter_together(site):
    visitor = proved(site, site.staff)
    path = "/policies/operator/edit"
    for waits, says in (("60, 360", "Give as many waits"), ("60, 360, 9000", "is looser than"), ("soon", "no whole number"),
                        ("36 h, 1 h, 2 h", "must not fall"), ("60, 360, 2160, 2160", "a list of 1 to 3")):  # fmt: skip
        refused = send(visitor, path, site, bounce_soft_retry_minutes=waits)
        assert refused.status == 422, waits
        assert says in said(refused.text), waits
        assert f'value="{waits}"' in refused.text
    shorter = {"bounce_soft_retry_minutes": "30 min, 3 h, 18 h", "bounce_soft_window_minutes": "24 h"}
    answer = send(visitor, path, site, **shorter)
    assert "tried again after 30 min, 3 h and 18 h" in said(answer.text)
    assert "After 24 h of such bounces the address counts as bad" in said(answer.text)
    visitor.post("/policies/operator/review", act="propose", reason="bad addresses are known sooner")
    row = "SELECT artefact FROM change WHERE kind = 'policy' AND state = 1"
    wanted = '{"bounce":{"soft_retry_minutes":[30,180,1080],"soft_window_minutes":1440}}'
    assert site.operator.admin.execute(row).fetchone() == (wanted,)
    assert typed(visitor.get(path).text)[0]["bounce-soft_retry_minutes"] == "30 min, 3 h, 18 h"


def test_a_window_that_ends_before_its_waits_is_not_proposed(site):
    visitor = proved(site, site.staff)
    send(visitor, "/policies/operator/edit", site, bounce_soft_window_minutes="24 h")
    refused = visitor.post("/policies/operator/review", act="propose", reason="sooner")
    assert refused.status == 422
    assert "must end within soft_window_minutes" in said(refused.text)


def test_what_no_control_can_show_is_not_promised(site):
    """The field, the claim, and what is missing are said; what was typed is kept."""
    visitor = proved(site, site.staff)
    fields, _ = typed(visitor.get("/policies/promise-p-other/edit").text)
    assert (fields["hosting-region"], fields["targets-daily_volume"]) == ("eu-west-2", "9900")
    changed = {name: "" for name in fields if name.startswith("limits-")}
    refused = send(visitor, "/policies/promise-p-other/edit", site, **changed, hosting_region="eu-central-1")
    assert refused.status == 422
    assert "INF-1 has no control yet" in said(refused.text)
    assert 'value="eu-central-1"' in refused.text
    told = send(visitor, "/policies/promise-p-other/edit", site, **changed, targets_daily_volume="12,000")
    assert "About 12,000 messages are sent a day" in said(told.text)
    assert "INC-5 has no control yet" in said(
        send(visitor, "/policies/operator/edit", site, response_breach_authority="1 h").text
    )
