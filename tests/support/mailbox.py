"""What tests of the demo's mailbox share: a store of its own for each test, and one message with a plain and an HTML part."""

import pytest

from troth.cli.demo.mailbox_store import MailStore

HTML = '<p style="color:red">Hi</p><script>alert(1)</script><img src="http://192.0.2.1/x.png">'
MAIL = (
    b"From: Firm <firm@x.test>\r\nTo: sam@y.test\r\nSubject: =?utf-8?q?Caf=C3=A9?= & <b>rent</b>\r\n"
    b"Message-ID: <m1@x.test>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nplain <words>\r\n.dotted\r\n"
    b"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + HTML.encode() + b"\r\n--b--\r\n"
)


@pytest.fixture
def store(tmp_path):
    made = MailStore(tmp_path / "box" / "mail")
    yield made
    made.close()
