"""The monthly review of complaints: signed by a person over exactly what they were shown, and kept as it was."""

import csv
import hashlib
import io
import re
from datetime import timedelta

import psycopg
import pytest
from tests.support import complained_of as made
from tests.support import pages

from troth.control.complaints import monthly_words

HIDDEN = re.compile(r'<input type="hidden" name="(until|digest)" value="([^"]*)">')


def path(site):
    return f"/complaints/review/{site.firm.programme}"


def busy(site, days=20):
    """Six complaints of 4,000, most about one template, in the last weeks."""
    made.sent(site.operator, site.firm.tenant, 2_000, days)
    made.sent(site.operator, site.firm.tenant, 2_000, 2)
    told = made.loop(site.operator)
    for n in range(6):
        made.complaint(site.operator, site.firm, 2, loop=told if n else None, template=n != 5)


def sign(visitor, site, page, verdict="accepted", said="Looked at all of it.", **more):
    verdicts = {f"verdict-{n}": verdict for n in range(1, page.count('id="finding-') + 1)}
    return visitor.post(path(site), **{**dict(HIDDEN.findall(page)), **verdicts, "words": said, **more})


def test_before_a_message_there_is_nothing_to_review(site):
    staff = site.visitor(site.staff)
    assert "There is nothing to review" in staff.get(path(site)).text
    assert "when the first message was sent" in staff.get("/complaints/reviews").text
    assert staff.get("/complaints/review/00000000-0000-0000-0000-000000000000").status == 404
    assert staff.get("/complaints/reviews/00000000-0000-0000-0000-000000000000").status == 404


def test_from_what_stands_out_to_a_signature_and_the_next(site):
    busy(site, days=34)
    staff = site.visitor(site.staff)
    assert "Late" in staff.get("/complaints/reviews").text
    assert "Review of complaints" in staff.get("/").text
    assert "Review of complaints" not in site.visitor(site.member).get("/").text
    page = staff.get(path(site)).text
    for words in (
        "It is late",
        "Above what is claimed",
        "6 complaints of 4,000 messages: 0.150 %",
        "A template that is complained about",
    ):
        assert words in page, words
    answer = sign(staff, site, page, **{"verdict-1": "followed", "note-1": "=Who is this?"})
    assert answer.status == 200, answer.text
    for words in ("1 became an incident", "Followed up", "INC-", "Looked at all of it."):
        assert words in answer.text, words
    found = site.operator.admin.execute(
        "SELECT cause, programme_id, tenant_id, (SELECT count(*) FROM case_clock k WHERE k.case_id = f.id) FROM case_file f"
        " WHERE cause <> 'complaint'"
    ).fetchone()  # fmt: skip
    assert found[:3] == ("complaint-finding", site.firm.programme, site.firm.tenant)
    assert found[3] >= 1
    ((digest, stored),) = site.operator.admin.execute("SELECT digest, shown::text FROM complaint_review").fetchall()
    assert (
        hashlib.sha256(stored.encode()).digest() == bytes(digest) == bytes.fromhex(dict(HIDDEN.findall(page))["digest"])
    )
    leaves = site.operator.admin.execute("SELECT count(*) FROM ledger_pending WHERE kind = 'complaints:review:signed'")
    assert leaves.fetchone() == (1,)
    lines = list(csv.DictReader(io.StringIO(staff.get(answer.url.removeprefix(site.url) + ".csv").text)))
    ((finding),) = [each for each in lines if each["verdict"] == "followed"]
    assert finding["note"] == "'=Who is this?", "no cell is a formula"
    assert finding["case"].startswith("INC-")
    assert next(each for each in lines if each["what"] == "programme")["complained"] == "6"
    assert "There is nothing to review" in staff.get(path(site)).text, "an hour is reviewed when it is over"
    site.operator.admin.execute(
        "UPDATE installation SET clock_offset = coalesce(clock_offset, interval '0') + interval '1 hour'"
    )
    assert "Nothing stands out" in site.visitor(site.staff).get(path(site)).text


def test_what_is_missing_is_said_and_what_was_typed_stays(site):
    busy(site)
    staff = site.visitor(site.staff)
    page = staff.get(path(site)).text
    answer = sign(staff, site, page, verdict="", said="", **{"note-1": "Kept as typed"})
    assert answer.status == 422
    for word in ("Finding 1: say whether you accept it", "Say in a sentence", 'aria-invalid="true"', "Kept as typed"):
        assert word in answer.text
    assert "2,000 characters are the most" in sign(staff, site, page, said="x" * 2_001).text
    assert sign(staff, site, page, digest="nothing").status == 422
    assert site.operator.admin.execute("SELECT count(*) FROM complaint_review").fetchone() == (0,)


def test_only_what_was_shown_is_signed(site):
    busy(site)
    staff = site.visitor(site.staff)
    page = staff.get(path(site)).text
    made.complaint(site.operator, site.firm, 1)
    answer = sign(staff, site, page)
    assert "Something changed since you opened this page" in answer.text
    assert "Looked at all of it." in answer.text
    page = staff.get(path(site)).text
    assert sign(staff, site, page).status == 200
    staff.last = page
    assert "There is nothing to review" in sign(staff, site, page).text, "somebody else signed it meanwhile"


def test_whoever_has_no_right_signs_nothing(site):
    busy(site)
    for role in ("support", "auditor", "ops-admin"):
        who = pages.join(site.operator, f"{role} <{role}@operator.test>", role)
        assert site.visitor(who).get(path(site)).status in (403, 404)
    assert site.visitor(site.member).get(path(site)).status == 404
    with pytest.raises(psycopg.Error):
        site.operator.control.execute("SELECT complaint_review_open_v1(%s, NULL, %s)", (site.firm.programme, b"x" * 32))


def test_a_signed_review_stays_as_it_is(site):
    busy(site)
    staff = site.visitor(site.staff)
    sign(staff, site, staff.get(path(site)).text)
    for statement in ("UPDATE complaint_review SET words = 'other'", "DELETE FROM complaint_review",
                      "UPDATE complaint_finding SET verdict = 'accepted'", "DELETE FROM complaint_finding"):  # fmt: skip
        with pytest.raises(psycopg.Error):
            site.operator.database.run(statement)
    for role in ("troth_control", "troth_flow"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            site.operator.database.open(role).execute("INSERT INTO complaint_review SELECT * FROM complaint_review")


def test_what_the_database_itself_refuses(site):
    """Whoever goes round the page: another time, another document, a finding without a verdict, no words."""
    busy(site)
    session, control = site.operator.sessions[0], site.operator.control
    opened = "SELECT from_at, until_at, digest, jsonb_array_length(shown -> 'findings') FROM complaint_review_open_v1(%s, NULL, %s)"
    begin, until, digest, n = control.execute(opened, (site.firm.programme, session)).fetchone()

    def signed(begin=begin, until=until, digest=digest, words="w", verdicts=("accepted",) * n):
        lists = [list(verdicts), [""] * n, [site.firm.tenant] * n, [b"\1"] * n, [], []]
        control.execute(
            "SELECT complaint_review_v1(gen_random_uuid(), %s, %s, %s, %s, %s, %s::text[], %s::text[], %s::uuid[], %s::bytea[],"
            " %s::text[], %s::timestamptz[], %s)", (site.firm.programme, begin, until, digest, words, *lists, session),
        )  # fmt: skip

    for wrong, why in (
        ({"begin": begin - timedelta(days=1)}, "reviewed meanwhile"), ({"until": until + timedelta(days=1)}, "reviewed meanwhile"),
        ({"until": until - timedelta(minutes=1)}, "reviewed meanwhile"), ({"digest": b"x" * 32}, "not what you were shown"),
        ({"words": " "}, "say in a sentence"), ({"verdicts": ("accepted",) * (n - 1)}, "accepted or followed up"),
        ({"verdicts": (None,) * n}, "accepted or followed up"), ({"verdicts": ("maybe",) * n}, "verdict"),
    ):  # fmt: skip
        with pytest.raises(psycopg.Error, match=why):
            signed(**wrong)
    signed()
    with pytest.raises(psycopg.Error, match="reviewed meanwhile"):
        signed()


def test_every_sort_of_finding_has_its_sentence_and_its_page():
    one = {"tenant": "t", "subject": "s", "sent": 2_000, "complained": 1, "n": 3}
    said = {kind: monthly_words.finding({**one, "kind": kind}) for kind in monthly_words.TITLES}
    assert said["rising"]["sentence"].startswith("One complaint now, 3 in as long a time before")
    assert "compliance review" in said["template"]["sentence"]
    assert said["late"]["sentence"].startswith("One incident of a complaint was")
    assert "2 incidents" in monthly_words.sentence({**one, "kind": "late", "complained": 2})
    assert said["silent"]["page"] == "/feedback-loops"
    assert said["over"]["page"] == "/complaints?client=t"
