"""A thousand forged reports, each as good as a stranger can make it: nobody is suppressed, nothing is told, the disk is safe."""

from datetime import timedelta
from itertools import cycle

from tests.flow.feedback.complained import (
    ANN,
    PROVIDER,
    STRANGER,
    arf,
    desk,
    dns,
    jmrp,
)  # fmt: skip
from tests.support.dkim_letters import Provider
from tests.support.firm import now

from troth.keys.ids import uuid7
from troth.mail.arrived import Verdict
from troth.mail.tokens import verp_make
from troth.rules.states import Kind

__all__ = ["desk", "dns"]
HOW_MANY = 1_000
LIAR = Provider("provider.example")  # the provider's name, and a key of its own
KEYS = (b"k" * 32, b"m" * 32)


SAYS = (
    "From: Feedback <fbl@provider.example>\nTo: fbl@else.example\nSubject: {}\nMIME-Version: 1.0\n"
    "Content-Type: text/plain\n\n{}"
)


async def test_fields_above_a_signed_letter_neither_make_it_a_report_nor_name_a_message(desk):
    await desk.sent()
    desk.loop()
    whole = desk.returned().decode().replace("\r\n", "\n")
    path = whole.partition("\n")[0]
    mine = PROVIDER.sign(SAYS.format("FW: complaint", "Nothing of yours is in here.\n"))
    await desk.take(f"X-HmXmrOriginalRecipient: x@y.example\r\n{path}\r\n".encode() + mine, signer=None)
    quoted = PROVIDER.sign(SAYS.format("Your mail", f"{whole.partition('Content-Type')[0]}\n"))
    await desk.take(b"Subject: spam complaint\r\n" + quoted, signer=None)
    old = PROVIDER.sign(SAYS.format("Hello", f"Report-Type: spam\nOriginal-Mail-From: {path.partition(': ')[2]}\n"))
    await desk.take(b"X-XARF: PLAIN\r\n" + old, signer=None)
    assert desk.kept() == ["unreadable"] * 3
    assert desk.nothing_happened()
    await desk.take(SAYS.format("spam complaint", f"{whole.partition('Content-Type')[0]}\n").encode())
    assert desk.river.suppressed(ANN)  # the same, where all of it is signed


async def test_a_genuine_report_cannot_be_turned_on_somebody_else(desk):
    await desk.sent("mallory@home.example", ANN)
    desk.loop()
    mallory, ann = (desk.returned(n) for n in (0, 1))
    if b"To: mallory" not in mallory:
        mallory, ann = ann, mallory
    above = b"X-HmXmrOriginalRecipient: x@y.example\r\n" + ann.partition(b"\r\n")[0] + b"\r\n"
    await desk.take(above + PROVIDER.sign(arf(mallory, to="mallory@home.example")), signer=None)
    await desk.take(above + PROVIDER.sign(jmrp(mallory)), signer=None)
    assert desk.river.suppressed(ANN) == []
    assert desk.river.suppressed("mallory@home.example")


def forged(desk):
    """Letters without end: a real message inside but nobody's signature, a real signature but nobody's token, and so on."""
    whole = desk.returned()
    old = PROVIDER.sign(arf(whole, kind="not-spam"))
    for n, key in enumerate(cycle(KEYS)):
        path = verp_make(key, uuid7(now()), now() + timedelta(days=9), "a")
        made_up = f"Return-Path: <{path}@bounce.example>\r\nMessage-ID: <{n}@x>\r\n\r\nHello {n}.\r\n".encode()
        yield arf(whole, more=f"Incidents: {n}\r\n")
        yield jmrp(whole + str(n).encode())
        yield STRANGER.sign(arf(whole, more=f"Incidents: {n}\r\n"))
        yield LIAR.sign(arf(whole, more=f"Incidents: {n}\r\n"))
        yield PROVIDER.sign(arf(made_up))
        yield old.replace(b"Feedback-Type: not-spam", f"Feedback-Type: abuse\r\nIncidents: {n}".encode())
        yield b"Content-Type: text/plain\r\n" + PROVIDER.sign(arf(made_up)) + whole
        yield PROVIDER.sign(arf(made_up), length=True) + whole


async def test_a_thousand_forged_reports_suppress_nobody(desk):
    (message,) = await desk.sent()
    desk.loop()
    letters = forged(desk)
    for _ in range(HOW_MANY):
        assert await desk.take(next(letters), signer=None) is Verdict.TAKEN
    assert desk.nothing_happened()
    assert desk.river.told(message) == [Kind.SENT]
    assert desk.river.suppressed(ANN) == []
    counted = dict(desk.query("SELECT reason, sum(n)::int FROM inbound_count WHERE desk = 'complaint' GROUP BY 1"))
    assert sum(counted.values()) == HOW_MANY
    assert set(counted) == {"unsigned", "not-enrolled", "bad-signature", "no-token"}
    assert len(desk.kept()) <= HOW_MANY
    await desk.take(arf(desk.returned()))  # and the true one is still believed
    assert desk.river.told(message) == [Kind.SENT, Kind.COMPLAINED]
