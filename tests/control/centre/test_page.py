"""The public page: every promise of a programme as it stands, for anybody, closed to everything but itself; what fails, is
old or is not checked is never said to hold.
"""

import html
import json
import re
from datetime import timedelta

import pytest
from tests.control.centre import promising
from tests.control.centre.promising import FAILS, NAMES
from tests.support.firm import now
from tests.support.pages import Visitor

from troth.control.trust.catalogue import CHAPTERS
from troth.control.trust.controls import CONTROLS
from troth.control.trust.look import Programme
from troth.control.trust.promised import promised
from troth.rules.profile import load_profile

CHECKED = {control.claim for control in CONTROLS}


def articles(text: str) -> dict[str, str]:
    """By claim, its words."""
    found = re.findall(r'<article data-tone="\w+" id="([A-Z]{3}-\d+)">(.*?)</article>', text, re.DOTALL)
    return {claim: words(inner) for claim, inner in found}


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def page(site, path: str, **headers: str):
    return Visitor(site.url).get(path, **headers)


@pytest.mark.parametrize("profile", NAMES)
def test_it_has_every_promise_with_its_sentence_and_its_state(house, profile):
    site, made = house
    answer = page(site, f"/trust/{profile}")
    assert answer.status == 200
    there = articles(answer.text)
    told = promised(site.operator.control, Programme(made[profile], profile, profile))
    assert there
    assert sorted(there) == sorted(each.claim.id for each in told)
    for each in told:
        shown = there[each.claim.id]
        assert " ".join(each.sentence.split()) in shown
        if each.claim.id not in CHECKED:
            assert "No check yet. What will give it one:" in shown, shown
        elif each.claim.id in (*FAILS, *promising.NO_DATA, *promising.STALE):
            assert "Holds." not in shown
        else:
            assert f"Holds. {each.claim.kind.capitalize()}, checked" in shown
            assert "UTC" in shown
    for section in ("overview", "pillars", *CHAPTERS):
        assert f'id="{section}"' in answer.text


def test_what_does_not_hold_is_said_and_struck(house):
    site, _ = house
    text = page(site, "/trust/property").text
    shown = articles(text)["BNC-2"]
    assert shown.startswith("We do not keep this now: A soft bounce")
    assert "<s>" in text
    assert re.search(r"Does not hold since \d+ \w+ 20\d\d, \d\d:\d\d UTC\.", shown)
    assert "Found: 2 of 40 soft bounces of [withheld] were not tried again, such as [withheld]." in shown
    assert "client.example" not in text
    assert "10.0.0.7" not in text
    assert "Not known to hold: the last check is too old." in articles(text)["EML-5"]
    assert "Found: It could not look." in articles(text)["CMP-2"]
    assert "One does not." in text


def test_no_certificate_is_hinted_at(house):
    site, _ = house
    for profile in NAMES:
        text = words(page(site, f"/trust/{profile}").text)
        assert "claims no certification" in text
        assert not re.search(r"SOC ?2|ISO[ /]?27|HIPAA|PCI|certified|accredited", text)


def test_a_filter_works_without_script(house):
    site, _ = house
    assert list(articles(page(site, "/trust/property?state=fails").text)) == list(FAILS)
    assert list(articles(page(site, "/trust/property?state=stale").text)) == list(promising.STALE)
    whole = articles(page(site, "/trust/property").text)
    assert articles(page(site, "/trust/property?state=nonsense&lang=xx").text) == whole
    assert "FBL-1" not in articles(page(site, "/trust/property?state=no-control").text)


@pytest.mark.parametrize(("language", "says"), [("de", "Gehalten."), ("es", "Se cumple.")])
def test_a_language_is_asked_for_and_the_sentences_stay(house, language, says):
    site, _ = house
    answer = page(site, f"/trust/property?lang={language}", **{"Accept-Language": "fr"})
    assert f'<html lang="{language}">' in answer.text
    assert says in articles(answer.text)["BNC-1"]
    assert '<p lang="en">An address that bounces hard' in answer.text
    assert f"/trust/property/claims/BNC-1?lang={language}" in answer.text
    assert page(site, "/trust/property", **{"Accept-Language": language}).text.startswith(
        '<!DOCTYPE html>\n<html lang="en">'
    )


def test_anybody_may_keep_it_and_asks_each_time_whether_it_is_the_same(house):
    site, _ = house
    answer = page(site, "/trust/retail")
    assert answer.headers["Cache-Control"] == "public, no-cache"
    assert "Last-Modified" in answer.headers
    assert "Vary" not in answer.headers
    assert "Set-Cookie" not in answer.headers
    again = page(site, "/trust/retail", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.text) == (304, "")
    assert Visitor(site.url).post("/trust/retail", token=False).status in (403, 405)


def test_a_promise_has_a_page_of_its_own(house):
    site, _ = house
    broken = words(page(site, "/trust/property/claims/BNC-2").text)
    for told in ("What it found", "4 attempts to break it, all refused", "next due 2026-12-01", "GDPR Art. 5(1)(d)",
                 "Deliverability", "Does not hold", "All promises of Quay Lettings"):  # fmt: skip
        assert told in broken, told
    assert "tenant" not in broken.lower()
    assert "Nothing checks it yet." in words(page(site, "/trust/property/claims/INF-1").text)
    for path in (
        "/trust/retail/claims/ENC-3",
        "/trust/property/claims/XXX-9",
        "/trust/nobody",
        "/trust/nobody/badge.svg",
    ):
        assert page(site, path).status == 404, path


def test_the_programmes_are_listed(house):
    site, _ = house
    text = words(page(site, "/trust").text)
    for name in NAMES.values():
        assert re.search(rf"{name}\d+ of \d+ promises hold, 1 fails", text), name


@pytest.mark.parametrize(("path", "leads"), [
    ("/trust/", "/trust"), ("/trust/property/?lang=de", "/trust/property?lang=de"),
    ("/trust/property/claims/BNC-2/", "/trust/property/claims/BNC-2"),
])  # fmt: skip
def test_a_slash_at_the_end_leads_to_the_page(house, path, leads):
    site, _ = house
    answer = page(site, path)
    assert (answer.status, answer.url) == (200, site.url + leads)


def test_a_slash_at_the_end_leads_nowhere_else(house):
    site, _ = house
    for path in ("/trust///evil.example/", "/trust/%2F%2Fevil.example/", "/trust/%0d%0aX-Evil:%201/"):
        assert page(site, path).status == 404, path


def test_a_programmes_own_host_shows_that_programme_alone(house):
    site, _ = house
    own = {"Host": "Property.example."}
    assert page(site, "/trust", **own).url.endswith("/trust/property")
    assert page(site, "/", **own).url.endswith("/trust/property")
    assert page(site, "/trust/property", **own).status == 200
    for path in ("/trust/retail", "/trust/retail/claims/ENC-1", "/trust/retail/changes.atom", "/trust/retail/badge.svg",
                 "/trust/retail/trust.json"):  # fmt: skip
        assert page(site, path, **own).status == 404, path
    assert page(site, "/").url.endswith("/sign-in")


def test_a_change_of_policy_is_on_the_page_at_once(own):
    site, _ = own
    assert "within 48 h" in articles(page(site, "/trust/property").text)["BNC-2"]
    document = json.loads(json.dumps(load_profile("property").document))
    document["bounce"] |= {"soft_retry_minutes": [30, 180, 1080], "soft_window_minutes": 1440}
    site.operator.govern("policy", None, "programme:property", document, subject(site))
    assert "within 24 h" in articles(page(site, "/trust/property").text)["BNC-2"]
    assert "within 24 h" in words(page(site, "/trust/property/claims/BNC-2").text)
    document["trust"]["failing"] = "withdraw"
    site.operator.govern("policy", None, "programme:property", document, subject(site))
    _withdrawn(site)


def _withdrawn(site):
    """A promise that is withdrawn while it fails is counted, and its sentence is nowhere."""
    answer = page(site, "/trust/property")
    shown = articles(answer.text)["BNC-2"]
    assert shown.startswith("This promise is withdrawn.Withdrawn since")
    assert "One is withdrawn." in answer.text
    promising.turned(site.operator, "BNC-2", None, "holds", "fails", timedelta(hours=1))
    for path in ("/trust/property", "/trust/property/claims/BNC-2", "/trust/property/changes.atom"):
        told = page(site, path)
        assert told.status == 200
        assert "soft bounce is tried" not in told.text, path


def subject(site):
    query = "SELECT subject FROM governed WHERE kind = 'policy' AND code = 'programme:property'"
    return site.operator.admin.execute(query).fetchone()[0]


def test_a_turn_is_on_the_page_at_once_and_nothing_old_or_of_tomorrow_holds(own):
    site, made = own
    database = site.operator.database
    assert articles(page(site, "/trust/property").text)["EML-2"].count("Holds.") == 1
    mine = "WHERE claim = %s AND programme_id = %s"
    database.fill(f"UPDATE claim_state SET state = 'fails' {mine}", "EML-2", made["property"])
    assert "Does not hold since" in articles(page(site, "/trust/property").text)["EML-2"]
    assert "Holds." in articles(page(site, "/trust/retail").text)["EML-2"]
    database.fill(f"UPDATE claim_state SET state = 'holds', checked_at = %s {mine}", now() + timedelta(days=2), "EML-2",
                  made["property"])  # fmt: skip
    assert "Not known to hold" in articles(page(site, "/trust/property").text)["EML-2"]
    database.fill(f"UPDATE claim_state SET checked_at = now() - interval '2 hours' {mine}", "EML-2", made["property"])
    assert "Not known to hold" in articles(page(site, "/trust/property").text)["EML-2"]


def test_what_grows_old_while_nothing_changes_no_longer_holds(own):
    """The mark is the same: only the clock goes on."""
    site, _ = own
    assert "Holds." in articles(page(site, "/trust/property").text)["EML-2"]
    site.operator.database.fill("UPDATE installation SET mode = 'demo', clock_offset = interval '3 days'")
    shown = articles(page(site, "/trust/property").text)
    assert not [claim for claim, text in shown.items() if "Holds." in text]
    assert "0 of our 88 promises hold now." in page(site, "/trust/property").text


def test_without_the_database_nothing_is_claimed(own):
    site, _ = own
    assert page(site, "/trust/property").status == 200
    site.operator.database.fill("ALTER TABLE claim_state RENAME TO claim_state_away")
    for path in ("/trust", "/trust/property", "/trust/property/claims/ENC-4", "/trust/property/badge.svg",
                 "/trust/property/changes.atom", "/trust/property/trust.json"):  # fmt: skip
        answer = page(site, path)
        assert answer.status == 503, path
        assert "The trust centre cannot be read just now" in answer.text
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Retry-After"] == "30"
        assert "hold" not in words(answer.text)
    site.operator.database.fill("ALTER TABLE claim_state_away RENAME TO claim_state")
    assert page(site, "/trust/property").status == 200
