"""A review is signed by a person over exactly what they were shown; each finding is accepted or becomes an incident."""

import hashlib
import json
import re
from datetime import timedelta

import psycopg
import pytest
from tests.support import history, pages, told
from tests.support.told import row

NAME = "mail.firm.example"
HIDDEN = re.compile(r'<input type="hidden" name="(until|digest)" value="([^"]*)">')


def path(site):
    return f"/dmarc/review/{site.firm.programme}"


def shown(page):
    return dict(HIDDEN.findall(page))


def busy(site):
    """Two weeks: a known source, then one that fails and one that is new; twice the volume."""
    told.dmarc(site.operator, NAME, row("192.0.2.1", 100, domain=NAME), ago=9)
    told.dmarc(
        site.operator, NAME, row("192.0.2.1", 150, domain=NAME), row("203.0.113.9", 40, dkim=False, spf=False), ago=1
    )


def entries(site):
    leaves = site.operator.admin.execute(
        "SELECT leaf FROM ledger_pending WHERE kind = 'reports:review:signed'"
    ).fetchall()
    return [json.loads(bytes(leaf).decode() if isinstance(leaf, (bytes, memoryview)) else leaf) for (leaf,) in leaves]


def sign(visitor, site, page, verdict="accepted", said="Looked at all of it.", **more):
    fields = shown(page)
    verdicts = {f"verdict-{n}": verdict for n in range(1, page.count('id="finding-') + 1)}
    return visitor.post(path(site), **{**fields, **verdicts, "words": said, **more})


def test_before_a_report_there_is_nothing_to_review(site):
    assert "There is nothing to review" in site.visitor(site.staff).get(path(site)).text
    assert site.visitor(site.staff).get("/dmarc/review/00000000-0000-0000-0000-000000000000").status == 404


def test_a_review_from_what_is_new_to_a_signature_and_the_next(site):
    busy(site)
    staff = site.visitor(site.staff)
    assert "Late" in staff.get("/dmarc/reviews").text
    assert "Review of DMARC reports" in staff.get("/").text
    page = staff.get(path(site)).text
    assert "It is late" in page
    assert "New sources that fail" in page
    assert "40 of 40 messages failed DMARC" in page
    answer = sign(staff, site, page, **{"verdict-1": "followed", "note-1": "Who is this?"})
    assert answer.status == 200, answer.text
    assert "1 became an incident" in answer.text
    assert "Followed up" in answer.text
    assert "INC-" in answer.text
    assert "Who is this?" in answer.text
    ((cause, programme, clocks),) = site.operator.admin.execute(
        "SELECT cause, programme_id, (SELECT count(*) FROM case_clock k WHERE k.case_id = f.id) FROM case_file f").fetchall()  # fmt: skip
    assert (cause, programme) == ("dmarc-finding", site.firm.programme)
    assert clocks >= 1
    ((digest, stored),) = site.operator.admin.execute("SELECT digest, shown::text FROM dmarc_review").fetchall()
    assert hashlib.sha256(stored.encode()).digest() == bytes(digest) == bytes.fromhex(shown(page)["digest"])
    next_ = staff.get(path(site)).text
    assert "Nothing new" in next_
    told.dmarc(site.operator, NAME, row("192.0.2.1", 10, domain=NAME), row("203.0.113.9", 4, dkim=False, spf=False))
    again = staff.get(path(site)).text
    assert "New sources that fail" not in again, "it was told before"
    assert "It is late" not in again


def test_a_review_with_nothing_new_is_signed_too(site):
    told.dmarc(site.operator, NAME, ago=9)
    staff = site.visitor(site.staff)
    sign(staff, site, staff.get(path(site)).text)
    told.dmarc(site.operator, NAME, row("192.0.2.1", 10, domain=NAME))
    page = staff.get(path(site)).text
    assert "Nothing new" in page
    assert "Nothing was new" in sign(staff, site, page).text


def test_what_is_missing_is_said_and_what_was_typed_stays(site):
    busy(site)
    staff = site.visitor(site.staff)
    page = staff.get(path(site)).text
    answer = sign(staff, site, page, verdict="", said="", **{"note-1": "Kept as typed"})
    assert answer.status == 422
    for word in ("Finding 1: say whether you accept it", "Say in a sentence", 'aria-invalid="true"', "Kept as typed"):
        assert word in answer.text
    answer = sign(staff, site, page, said="x" * 2_001, **{"note-1": "y" * 501})
    assert "2,000 characters are the most" in answer.text
    assert "Finding 1: 500 characters are the most" in answer.text
    assert sign(staff, site, page, digest="nothing").status == 422
    assert site.operator.admin.execute("SELECT count(*) FROM dmarc_review").fetchone() == (0,)


def test_only_what_was_shown_is_signed(site):
    busy(site)
    staff = site.visitor(site.staff)
    page = staff.get(path(site)).text
    answer = sign(staff, site, page, digest="00" * 32)
    assert "Something changed since you opened this page" in answer.text
    assert "Looked at all of it." in answer.text
    assert "Something changed" in sign(staff, site, page, until="some day").text
    told.dmarc(site.operator, NAME, row("198.51.100.1", 9, dkim=False, spf=False))
    assert sign(staff, site, page).status == 200, "what came meanwhile is the next one’s"
    assert "198.51.100.1" in staff.get(path(site)).text
    staff.last = page
    assert "Something changed" in sign(staff, site, page).text, "somebody else signed it meanwhile"


def test_whoever_has_no_right_signs_nothing(site):
    busy(site)
    for role in ("support", "auditor", "ops-admin"):
        who = pages.join(site.operator, f"{role} <{role}@operator.test>", role)
        assert site.visitor(who).get(path(site)).status in (403, 404)
        read = site.visitor(who).get("/dmarc/reviews")
        assert (read.status, path(site) in read.text) == ((404 if role == "support" else 200), False), role
    assert site.visitor(site.member).get(path(site)).status == 404
    assert site.visitor(site.member).get("/dmarc/reviews").status == 404
    with pytest.raises(psycopg.Error):
        site.operator.control.execute("SELECT dmarc_review_open_v1(%s, NULL, %s)", (site.firm.programme, b"x" * 32))


def test_a_signed_review_and_a_report_stay_as_they_are(site):
    busy(site)
    staff = site.visitor(site.staff)
    sign(staff, site, staff.get(path(site)).text)
    for statement in (
        "UPDATE dmarc_review SET words = 'other'", "DELETE FROM dmarc_review", "UPDATE dmarc_finding SET verdict = 'accepted'",
        "UPDATE dmarc_report SET messages = 0", "UPDATE dmarc_record SET messages = 0", "UPDATE tls_report SET failed = 0",
    ):  # fmt: skip
        told.tls(site.operator, NAME)
        with pytest.raises(psycopg.Error):
            site.operator.database.run(statement)
    for role in ("troth_control", "troth_flow"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            site.operator.database.open(role).execute("INSERT INTO dmarc_review SELECT * FROM dmarc_review")


def test_a_review_that_is_overdue_stands_on_the_first_page(site):
    told.dmarc(site.operator, NAME)
    staff = site.visitor(site.staff)
    assert "Review of DMARC reports" not in staff.get("/").text
    history.later(site.operator, timedelta(days=8)) if hasattr(history, "later") else site.operator.admin.execute(
        "UPDATE installation SET clock_offset = coalesce(clock_offset, interval '0') + interval '8 days'")  # fmt: skip
    staff = site.visitor(site.staff)
    assert "Review of DMARC reports" in staff.get("/").text
    assert "Review of DMARC reports" not in site.visitor(site.member).get("/").text


def test_what_the_database_itself_refuses(site):
    """Whoever goes round the page: another time, another document, a finding without a verdict, no words."""
    busy(site)
    session = site.operator.sessions[0]
    control = site.operator.control
    opened = "SELECT from_at, until_at, digest, jsonb_array_length(shown -> 'findings') FROM dmarc_review_open_v1(%s, NULL, %s)"
    begin, until, digest, n = control.execute(opened, (site.firm.programme, session)).fetchone()

    def signed(begin=begin, until=until, digest=digest, words="w", verdicts=("accepted",) * n):
        lists = [list(verdicts), [""] * n, [site.firm.tenant] * n, [b"\1"] * n, [], []]
        control.execute(
            "SELECT dmarc_review_v1(gen_random_uuid(), %s, %s, %s, %s, %s, %s::text[], %s::text[], %s::uuid[], %s::bytea[],"
            " %s::text[], %s::timestamptz[], %s)", (site.firm.programme, begin, until, digest, words, *lists, session),
        )  # fmt: skip

    for wrong, why in (
        ({"begin": begin - timedelta(days=1)}, "reviewed meanwhile"), ({"until": until + timedelta(days=1)}, "reviewed meanwhile"),
        ({"digest": b"x" * 32}, "not what you were shown"), ({"words": " "}, "say in a sentence"),
        ({"verdicts": ("accepted",) * (n - 1)}, "accepted or followed up"), ({"verdicts": (None,) * n}, "accepted or followed up"),
        ({"verdicts": ("maybe",) * n}, "verdict"),
    ):  # fmt: skip
        with pytest.raises(psycopg.Error, match=why):
            signed(**wrong)
    signed()
    with pytest.raises(psycopg.Error, match="reviewed meanwhile"):
        signed()
