"""The page that shows what the demo's mailbox got: the list, a message, its HTML in a frame that can do nothing."""

import re
from contextlib import asynccontextmanager

import httpx
import pytest
from tests.support.mailbox import HTML, MAIL

from troth.cli.demo.mailbox_page import PAGE, application, serve_page


@asynccontextmanager
async def browsing(store):
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(application(store)), base_url="http://box.test"
    ) as client:
        yield client


async def test_an_empty_mailbox_says_what_will_come(store):
    async with browsing(store) as client:
        page = await client.get("/")
    assert page.status_code == 200
    assert "Nothing has come yet" in page.text


async def test_the_list_is_newest_first_in_pages_and_searched_by_recipient(store):
    for number in range(PAGE + 5):
        store.keep(MAIL, "b@x.test", [f"u{number}@y.test"], "250 2.0.0 Kept")
    store.note("b@x.test", ["gone@y.test"], "550 5.1.1 no <such>")
    store.note("b@x.test", ["later@y.test"], "452 4.2.2 full")
    store.keep(b"\r\nno header\r\n", "", ["dropped@y.test"], None)
    async with browsing(store) as client:
        first = (await client.get("/")).text
        second = (await client.get("/?page=2")).text
        found = (await client.get("/?q=U29@")).text
        nothing = (await client.get("/?q=%3Cscript%3E")).text
        nowhere = (await client.get("/?page=99")).text
        odd = await client.get("/?page=-1&q=" + "x" * 999)
        foreign = (await client.get("/?page=%D9%A3")).text
    assert first.index("dropped@y.test") < first.index("gone@y.test") < first.index("u29@y.test")
    assert "u0@y.test" not in first
    assert "u0@y.test" in second
    assert "1 to 25</b> of 33" in first
    assert "26 to 33</b> of 33" in second
    assert "no &lt;such&gt;" in first
    assert "(no subject)" in first
    assert "the connection was dropped" in first
    assert "u29@y.test" in found
    assert "u28@y.test" not in found
    assert "&lt;script&gt;" in nothing
    assert "<script" not in nothing
    assert "Nothing that far back" in nowhere
    assert odd.status_code == 200
    assert "1 to 25" in foreign


async def test_a_message_has_its_page_its_source_and_a_closed_frame(store):
    name = store.keep(MAIL, "b@x.test", ["sam@y.test"], "250 2.0.0 Kept")
    async with browsing(store) as client:
        page = await client.get(f"/message/{name}")
        frame = await client.get(f"/message/{name}/html")
        raw = await client.get(f"/message/{name}/raw")
    assert "Café &amp; &lt;b&gt;rent&lt;&#x2f;b&gt;" in page.text
    assert "plain &lt;words&gt;" in page.text
    assert "&lt;m1@x.test&gt;" in page.text
    assert f'<iframe class="mail" sandbox src="/message/{name}/html"' in page.text
    assert frame.text.strip() == HTML
    policy = frame.headers["content-security-policy"]
    assert policy.startswith("sandbox;")
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert raw.content == MAIL
    assert raw.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\r\n",
        b"Subject: a\r\n\r\nonly text\r\n",
        b"Content-Type: text/plain; charset=nonsense\r\n\r\n\xff\xfe\r\n",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--y\r\n",
        b"Content-Type: text/html; charset=latin-1\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!\r\n",
        b"Date: never\r\nFrom: <<<\r\nTo: @@\r\nSubject: =?x?q?=ff?=\r\nMessage-ID: <<>\r\n\r\n",
        b"no header at all, \xff only noise\r\n" * 5,
    ],
)
async def test_no_message_breaks_its_page(store, content):
    name = store.keep(content, "", ["sam@y.test"], "250 ok")
    async with browsing(store) as client:
        for path in ("/", f"/message/{name}", f"/message/{name}/raw"):
            assert (await client.get(path)).status_code == 200
        assert (await client.get(f"/message/{name}/html")).status_code in {200, 404}


async def test_a_message_whose_file_is_gone_says_so(store):
    name = store.keep(MAIL, "", ["sam@y.test"], "250 ok")
    (store.folder / "new" / name).unlink()
    async with browsing(store) as client:
        assert "The file is gone" in (await client.get("/")).text
        for path in (f"/message/{name}", f"/message/{name}/html", f"/message/{name}/raw", "/message/..%2Fmailbox.log"):
            assert (await client.get(path)).status_code == 404


async def test_pages_are_strict_and_self_contained(store):
    name = store.keep(MAIL, "b@x.test", ["sam@y.test"], "250 2.0.0 Kept")
    async with browsing(store) as client:
        pages = [await client.get(path) for path in ("/", "/?q=none", f"/message/{name}", "/message/none")]
        style = await client.get("/mailbox.css")
        assert (await client.get("/icon.svg")).headers["content-type"] == "image/svg+xml"
    for page in pages:
        assert "unsafe" not in page.headers["content-security-policy"]
        assert page.headers["x-content-type-options"] == "nosniff"
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://", page.text)
    assert style.headers["content-type"].startswith("text/css")
    assert "light-dark(" in style.text
    assert not re.search(r"url\(|@import", style.text)


async def test_the_page_is_served_and_ends(store):
    async with serve_page(store) as port:
        async with httpx.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/")).status_code == 200
    async with httpx.AsyncClient() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/")
