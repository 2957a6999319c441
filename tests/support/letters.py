"""Letters that were kept for a person, as the inbound server keeps them."""

from hashlib import sha256

from tests.support.firm import now

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR

HOSTILE = (
    b"From: Mallory <m@evil.example>\r\nTo: x@bounces.example\r\nSubject: =?utf-8?q?Ann=E2=80=AE_<b>?=\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    b"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello \xe2\x80\xae<script>alert(1)</script>\x1b[2J\r\n"
    b"--b\r\nContent-Type: text/html; name=page.html\r\n\r\n<script>alert(2)</script>"
    b"<img src=http://evil.example/x>\r\n--b--\r\n"
)


class Shelf:
    """Letters as the inbound server keeps them."""

    def __init__(self, operator):
        self.operator = operator
        wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
        self.keys = operator.keyring.tenant(OPERATOR, wrapped)

    def keep(self, octets, desk="bounce", reason="forged", to="x@bounces.example", most=1_000):
        one = uuid7(now())
        head = f"Return-Path: <>\r\nX-Troth-Peer: 192.0.2.1\r\nX-Troth-To: {to}\r\n".encode()
        told = self.operator.admin.execute(
            "SELECT letter_keep_v1(%s, %s, %s, %s, %s, %s, %s, %s, 100000000)",
            (one, desk, reason, sha256(octets).digest()[:16], len(octets),
             self.keys.seal(head + octets, places.letter(one)), most, most),
        ).fetchone()[0]  # fmt: skip
        return one if told == "kept" else told

    def entries(self):
        return [kind for (kind,) in self.operator.admin.execute(
            "SELECT kind FROM ledger_pending WHERE kind LIKE 'feedback:letter:%%' ORDER BY id").fetchall()]  # fmt: skip


def shelved(site):
    """Some of each kind, many of one; the id of one."""
    shelf = Shelf(site.operator)
    for n in range(57):
        shelf.keep(b"X-N: %d\r\n" % n + HOSTILE, most=55)
    for desk, reason in (("postmaster", "letter"), ("bounce", "not-a-bounce"), ("complaint", "unsigned"),
                         ("report", "unreadable"), ("security", "letter")):  # fmt: skip
        shelf.keep(f"Subject: {desk}\r\n\r\nPlease call me about the {reason} of Monday.\r\n".encode(), desk, reason)
    return str(shelf.keep(HOSTILE, "bounce", "other-message", to="b" * 58 + "@bounces.example"))
