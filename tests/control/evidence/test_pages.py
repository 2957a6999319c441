"""Evidence on its pages: handed in, looked at, accepted by somebody else, taken as a file, withdrawn; and who may not."""

import hashlib
import re

import pytest
from tests.control.evidence.conftest import PDF
from tests.support import pages
from tests.support.evidence_made import TEXT, accept, bring
from tests.support.firm import now

from troth.control.evidence import reading


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


def staff(site, role):
    found = site.visitor(pages.join(site.operator, f"S {role} <{role}@operator.test>", role))
    found.get("/")
    return found


def plain(text):
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def hand_in(visitor, file=("Report 2026.pdf", PDF), **other):
    visitor.get("/evidence/new")
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', visitor.last)[1]
    typed = {"claim": "APP-6", "kind": "penetration-test", "programme": "", "title": "Penetration test by Ash & Co",
             "performed": now().date().isoformat(), "until": "", "csrfmiddlewaretoken": token} | other  # fmt: skip
    return visitor.send("/evidence/new", typed, {"file": file} if file else {})


def test_it_is_handed_in_by_one_and_accepted_by_another(site):
    owner = site.visitor(site.staff)
    assert "No evidence yet" in owner.get("/evidence").text
    security = staff(site, "security")
    page = hand_in(security)
    assert re.fullmatch(rf"{site.url}/evidence/[0-9a-f-]{{36}}", page.url), page.text
    assert "It waits for a second person" in page.text
    path = page.url.removeprefix(site.url)
    assert f"{path}/accept" not in page.text
    assert security.get(f"{path}/accept").url == page.url  # whoever brought it is led back
    agenda = plain(owner.get("/").text)
    assert "Evidence for APP-6 waits for a second person" in agenda
    assert "waits for a second person" not in plain(security.get("/").text)
    asked = owner.get(f"{path}/accept")
    for words in ("Accept this evidence", "Report 2026.pdf", hashlib.sha256(PDF).hexdigest(), "for good"):
        assert words in asked.text
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', asked.text)[1]
    assert owner.post(f"{path}/accept", digest="00" * 32).status == 422
    done = owner.post(f"{path}/accept", digest=digest)
    assert "Accepted: Penetration test by Ash &amp; Co" in done.text
    assert "Counts" in plain(done.text)
    assert len(reading.current(site.operator.control, None, "APP-6")) == 1
    assert owner.get(f"{path}/accept").url == page.url


def test_the_file_comes_as_it_was_and_is_never_shown(site):
    made = bring(site)
    auditor = staff(site, "auditor")
    file = auditor.get(f"/evidence/{made.id}/file")
    assert file.text.encode() == TEXT
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Content-Disposition"] == 'attachment; filename="report.txt"'
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert file.headers["Content-Security-Policy"].startswith("sandbox")
    query = "SELECT count(*) FROM ledger_pending WHERE kind = 'access:evidence:take' AND leaf::jsonb ->> 'piece' = %s"
    assert site.operator.admin.execute(query, (str(made.id),)).fetchone()[0] == 1
    site.operator.database.fill("UPDATE evidence SET sha256 = sha256('x')")
    assert "somebody changed it" in auditor.get(f"/evidence/{made.id}/file").text


def test_auditors_only_look_and_others_see_nothing(site):
    made = bring(site)
    auditor = staff(site, "auditor")
    page = auditor.get(f"/evidence/{made.id}")
    assert page.status == 200
    for act in ("accept", "withdraw"):
        assert f"/evidence/{made.id}/{act}" not in page.text
        assert auditor.get(f"/evidence/{made.id}/{act}").status == 404
        assert auditor.post(f"/evidence/{made.id}/{act}", why="x").status in (403, 404)
    assert "Hand in evidence" not in auditor.get("/evidence").text
    assert auditor.get("/evidence/new").status == 404
    for visitor in (staff(site, "support"), site.visitor(site.member)):
        for path in ("/evidence", f"/evidence/{made.id}", f"/evidence/{made.id}/file", "/evidence/new"):
            assert visitor.get(path).status == 404, path


def test_one_withdraws_it_with_a_reason(site):
    made = bring(site, who=0, public=True)
    accept(site, made, who=1)
    owner = site.visitor(site.staff)
    asked = owner.get(f"/evidence/{made.id}/withdraw")
    assert "gives its file out no more" in asked.text
    empty = owner.post(f"/evidence/{made.id}/withdraw", why=" ")
    assert empty.status == 422
    assert "Say why" in empty.text
    long = owner.post(f"/evidence/{made.id}/withdraw", why="x" * 501)
    assert long.status == 422
    done = owner.post(f"/evidence/{made.id}/withdraw", why="Another system was tested")
    assert "Another system was tested" in done.text
    assert f"/evidence/{made.id}" not in owner.get("/evidence").text
    assert f"/evidence/{made.id}" in owner.get("/evidence?state=withdrawn").text
    assert owner.get(f"/evidence/{made.id}/withdraw").url == f"{site.url}/evidence/{made.id}"


_WRONG = [
    ({"claim": ""}, "Choose the claim"),
    ({"kind": ""}, "Choose what it is"),
    ({"kind": "training"}, "rests on other evidence"),
    ({"programme": "x"}, "Choose one of these"),
    ({"title": ""}, "Name it"),
    ({"title": "a\u202eb"}, "nobody can see"),
    ({"performed": "soon"}, "Give a day"),
    ({"performed": "2100-01-01"}, "lie ahead"),
    ({"until": "2020-01-01"}, "ends before it was done"),
    ({"until": "2100-01-01"}, "365 days"),
    ({"file": None}, "Choose a file"),
    ({"file": ("a.exe", b"MZ")}, "A file is PDF"),
    ({"file": ("a.pdf", b"%PDF-1.4 /JavaScript\n%%EOF")}, "/JavaScript"),
    ({"file": ("a.txt", b"a" * ((20 << 20) + 1))}, "20 MiB"),
    ({"file": ("a.txt", b"a" * ((4 << 20) + 1))}, "4 MiB"),
]


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_is_kept(site):
    owner = site.visitor(site.staff)
    for other, words in _WRONG:
        page = hand_in(owner, **other)
        assert page.status == 422, other
        assert words in page.text, other
        assert 'aria-invalid="true"' in page.text
        assert "title" in other or "Penetration test by Ash &amp; Co" in page.text
    assert site.operator.admin.execute("SELECT count(*) FROM evidence").fetchone()[0] == 0


def test_a_single_programme_cannot_have_what_is_everybodys(site):
    owner = site.visitor(site.staff)
    page = hand_in(owner, programme=str(site.firm.programme))
    assert "choose no single programme" in page.text
    own = hand_in(owner, programme=str(site.firm.programme), claim="INC-6", kind="isolation-exercise")
    assert "It waits for a second person" in own.text


def test_the_list_is_narrowed_and_goes_on_page_by_page(site):
    made = [bring(site, title=f"Test number {n}") for n in range(27)]
    accept(site, made[0])
    owner = site.visitor(site.staff)
    page = owner.get("/evidence")
    assert page.text.count("Test number") == 25
    older = re.search(r'rel="next" href="([^"]+)"', page.text)[1].replace("&amp;", "&")
    assert owner.get(older).text.count("Test number") == 2
    assert owner.get("/evidence?q=NUMBER+26").text.count("Test number") == 1
    assert owner.get("/evidence?state=counts").text.count("Test number") == 1
    assert "No evidence fits" in owner.get("/evidence?claim=VDP-3").text
    for nonsense in ("claim=x&state=y&before=z&q=%00", "q=" + "%25" * 200, "before=" + "0" * 32):
        assert owner.get(f"/evidence?{nonsense}").status == 200


def test_what_ends_is_told_before_it_does(site):
    accept(site, bring(site))
    owner = site.visitor(site.staff)
    assert "evidence is over" not in plain(owner.get("/").text)
    site.operator.database.fill(
        "UPDATE evidence SET performed_on = performed_on - 350, valid_until = valid_until - 350"
    )
    assert "APP-6: Penetration test, evidence is over soon" in plain(owner.get("/").text)
    assert 'value="APP-6" selected' in owner.get("/evidence/new?claim=APP-6&kind=penetration-test").text
    site.operator.database.fill("UPDATE evidence SET performed_on = performed_on - 50, valid_until = valid_until - 50")
    assert "The claim fails until newer is accepted" in plain(owner.get("/").text)
