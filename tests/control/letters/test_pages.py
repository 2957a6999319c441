"""Letters that were kept for a person: seen by desk and reason, opened in an entry of the ledger, never shown as HTML."""

import re

import psycopg
import pytest
from tests.support import pages
from tests.support.letters import HOSTILE as LETTER


def staff(site, role):
    found = site.visitor(pages.join(site.operator, f"S {role} <{role}@operator.test>", role))
    found.get("/")
    return found


def plain(text):
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_letters_are_listed_opened_in_an_entry_and_done_with(site, shelf):
    owner = site.visitor(site.staff)
    assert "Nothing waits" in owner.get("/letters").text
    one = shelf.keep(LETTER)
    two = shelf.keep(b"Subject: help\r\n\r\nPlease call me.\r\n", "postmaster", "letter")
    listed = owner.get("/letters").text
    for words in ("Not signed by us", "nothing it says was believed", "Postmaster", "To a person", "Bounces"):
        assert words in listed
    assert shelf.entries() == []
    page = owner.get(f"/letters/{one}")
    assert page.status == 200
    assert shelf.entries() == ["feedback:letter:read"]
    assert "&lt;script&gt;alert(1)" in page.text
    assert "<script>alert" not in page.text
    assert "src=http://evil.example" not in page.text.replace("&lt;", "<").split("Its source")[0]
    assert "\u202e" not in page.text
    assert "\x1b" not in page.text
    assert "m@evil.example" in page.text
    assert "192.0.2.1" in page.text
    assert "text/html" in page.text
    done = owner.post("/letters/done", letter=str(one), next="/letters?desk=bounce")
    assert done.url == f"{site.url}/letters?desk=bounce"
    assert "Done with one letter." in done.text
    assert shelf.entries()[-1] == "feedback:letter:done"
    assert f"/letters/{one}" not in owner.get("/letters").text
    assert f"/letters/{one}" in owner.get("/letters?state=done").text
    assert f"/letters/{two}" in owner.get("/letters?state=unread").text
    assert "Done with" in owner.get(f"/letters/{one}").text


def test_a_letter_is_taken_as_a_file_and_never_shown_by_the_browser(site, shelf):
    one = shelf.keep(LETTER)
    owner = site.visitor(site.staff)
    file = owner.get(f"/letters/{one}.eml")
    assert file.headers["Content-Type"] == "application/octet-stream"
    assert file.headers["Content-Disposition"] == f'attachment; filename="letter-{one}.eml"'
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert "Please" not in file.text
    assert "<img src=http://evil.example/x>" in file.text
    assert shelf.entries() == ["feedback:letter:read"]
    for path in ("0199aaaa-0000-7000-8000-000000000000", "0199aaaa-0000-7000-8000-000000000000.eml"):
        assert owner.get(f"/letters/{path}").status == 404


def test_the_list_is_narrowed_and_goes_on_page_by_page(site, shelf):
    ids = [shelf.keep(b"X-N: %d\r\n\r\n" % n) for n in range(28)]
    shelf.keep(b"Subject: help\r\n\r\n", "security", "letter")
    owner = site.visitor(site.staff)
    page = owner.get("/letters?desk=bounce&reason=forged")
    assert page.text.count('name="letter" value=') == 25
    older = re.search(r'rel="next" href="([^"]+)"', page.text)[1].replace("&amp;", "&")
    rest = owner.get(older).text
    assert [f"/letters/{each}" in rest for each in ids[:3]] == [True] * 3
    assert rest.count('name="letter" value=') == 3
    assert f"/letters/{ids[25]}" not in owner.get("/letters?desk=security").text
    assert "No letter is like this" in owner.get("/letters?day=2001-01-01").text
    for nonsense in ("desk=x&reason=%00&state=y&day=z&before=w", "day=0000-00-00", "before=" + "0" * 32):
        assert owner.get(f"/letters?{nonsense}").status == 200


def test_a_flood_is_a_number_and_is_put_aside_at_once(site, shelf):
    assert [shelf.keep(b"X-N: %d\r\n\r\n" % n, most=3) for n in range(10)].count("full") == 7
    assert shelf.keep(b"X-N: 0\r\n\r\n", most=3) == "known"
    owner = site.visitor(site.staff)
    assert re.search(r"Not signed by us Bounces 10 10 7\b", plain(owner.get("/letters").text))
    asked = owner.get("/letters/all-done?desk=bounce&reason=forged")
    assert "3 letters of Bounces will no longer wait" in plain(asked.text)
    assert "None is deleted" in asked.text
    until = re.search(r'name="until" value="([^"]+)"', asked.text)[1]
    assert owner.post("/letters/all-done?desk=bounce&reason=forged", until="x").status == 422
    shelf.keep(b"one more\r\n\r\n")
    owner.get("/letters/all-done?desk=bounce&reason=forged")
    assert "Done with 3 letters." in owner.post("/letters/all-done?desk=bounce&reason=forged", until=until).text
    assert shelf.operator.admin.execute("SELECT count(*) FROM inbound_letter WHERE done_at IS NULL").fetchone() == (1,)
    assert owner.get("/letters/all-done?desk=report&reason=forged").url == f"{site.url}/letters"
    assert "No letter was chosen" in owner.post("/letters/done", letter="x", next="//evil.example").text


def test_who_may_see_what(site, shelf):
    one = shelf.keep(LETTER)
    auditor = staff(site, "auditor")
    assert auditor.get("/letters").status == 200
    assert f"/letters/{one}" not in auditor.get("/letters").text
    for path in (f"/letters/{one}", f"/letters/{one}.eml"):
        assert auditor.get(path).status == 404
    assert auditor.post("/letters/done", letter=str(one)).status == 404
    member = site.visitor(site.member)
    assert member.get("/letters").status == 404
    assert site.visitor().get("/letters").url.startswith(f"{site.url}/sign-in")
    assert shelf.entries() == []


def test_the_first_page_says_that_letters_wait(site, shelf):
    owner = site.visitor(site.staff)
    assert "1 letter waits" not in plain(owner.get("/").text)
    shelf.keep(b"Subject: help\r\n\r\n", "postmaster", "letter")
    shelf.keep(LETTER)
    today = plain(owner.get("/").text)
    assert "1 letter waits to be read" in today
    assert "1 letter waits that no desk could obey" in today
    assert 'href="/letters"' in owner.last


def test_the_database_lets_nobody_change_a_letter_or_read_one_unseen(operator, shelf):
    one = shelf.keep(LETTER)
    control, admin = operator.control, operator.admin
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        control.execute("SELECT letter_ct FROM inbound_letter")
    control.rollback()
    for act in ("UPDATE inbound_letter SET done_at = now()", "DELETE FROM inbound_letter",
                "UPDATE inbound_count SET n = 0"):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            control.execute(act)
        control.rollback()
    with pytest.raises(psycopg.Error):
        admin.execute("UPDATE inbound_letter SET letter_ct = '\\x01', size = 0")
    for act in ("inbound_read_v1(%s, %s)", "letters_done_v1(ARRAY[%s::uuid], %s)"):
        with pytest.raises(psycopg.Error):
            control.execute(f"SELECT {act}", (one, b"nobody"))
        control.rollback()
    assert shelf.entries() == []
