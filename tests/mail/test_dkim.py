"""Signatures: two independent verifiers accept every message we can make, and refuse it once it was touched."""

import base64
import os
import shutil
import subprocess
from datetime import UTC, datetime

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from troth.mail.attachment import Attachment
from troth.mail.dkim import DkimError, Signer, relaxed_body, relaxed_value
from troth.mail.headers import HeaderError
from troth.mail.mailbox import parse_mailbox
from troth.mail.mime import Assembled, Outgoing, assemble
from troth.mail.wire import wire

KEY = rsa.generate_private_key(65537, 2048)
SIGNER = Signer("sender.test", "s1", KEY)
PUBLIC = base64.b64encode(
    KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
)
RECORD = b"v=DKIM1; k=rsa; p=" + PUBLIC
CORE = ["from", "to", "subject", "reply-to", "content-type"]


def pem(key):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def outgoing(**changes):
    fields = {
        "message_id": "0193a1b2@sender.test",
        "date": datetime(2026, 11, 22, tzinfo=UTC),
        "from_": parse_mailbox("Acme Lets <rent@sender.test>"),
        "to": (parse_mailbox("jo@example.com"),),
        "subject": "Your rent",
        "text": "Hello\n",
        "list_unsubscribe_url": "https://t.test/u",
    }
    return Outgoing(**(fields | changes))


def signed(message, signer=SIGNER):
    assembled = assemble(message)
    return wire(signer.sign(assembled), assembled)


def verifies(data):
    return dkim.verify(data, dnsfunc=lambda name, timeout=5: RECORD if name == b"s1._domainkey.sender.test." else None)


def tags(line):
    value = line.split(b":", 1)[1].replace(b"\r\n", b"")
    return {
        key.strip().decode(): text.replace(b" ", b"").decode()
        for key, _, text in (one.partition(b"=") for one in value.split(b";"))
    }


def test_the_signature_line():
    line = SIGNER.sign(assemble(outgoing()))
    assert line.startswith(b"DKIM-Signature: ")
    assert line.endswith(b"\r\n")
    assert all(len(one) <= 130 for one in line.split(b"\r\n"))
    read = tags(line)
    assert (read["v"], read["a"], read["c"], read["d"], read["s"]) == (
        "1",
        "rsa-sha256",
        "relaxed/relaxed",
        "sender.test",
        "s1",
    )
    names = read["h"].split(":")
    present = [name.lower().decode() for name, _ in assemble(outgoing()).headers]
    for name in CORE:
        assert names.count(name) == present.count(name) + 1
    for name in ("date", "message-id", "mime-version", "list-unsubscribe", "list-unsubscribe-post"):
        assert names.count(name) == 1
    assert "cc" not in names
    with_cc = tags(SIGNER.sign(assemble(outgoing(cc=(parse_mailbox("c@example.com"),)))))["h"].split(":")
    assert with_cc.count("cc") == 2


@settings(max_examples=80, deadline=None)
@given(
    st.text("ab. \t\r\né\x0b-漢", max_size=200),
    st.none() | st.text("<p> \t\n=é", max_size=100),
    st.text(max_size=120),
    st.text('Jo é"\\,.', max_size=90),
)
def test_dkimpy_accepts_whatever_we_assemble(text, html, subject, name):
    try:
        data = signed(
            outgoing(
                text=text,
                html=html,
                subject=subject,
                reply_to=(parse_mailbox("r@example.com"),),
                to=(
                    parse_mailbox("jo@example.com"),
                    type(parse_mailbox("a@b.example"))(name, parse_mailbox("a@b.example").address),
                ),
                headers=(("X-Ref", "a   b"), ("References", "<a@b>")),
                attachments=(Attachment("x.bin", "application/octet-stream", text.encode()),),
            )
        )
    except HeaderError:
        assume(False)
    assert verifies(data)


@pytest.mark.parametrize(
    "body",
    [b"", b"\r\n", b"\r\n\r\n", b" \r\n", b"a \t b\t\r\n\r\n \r\n", b" a\r\n", b"a\r\n \r\n\r\nb\r\n", b"\t\r\na\r\n"],
)
def test_bodies_that_assemble_would_not_make(body):
    headers = ((b"From", b"a@sender.test"), (b"Subject", b"  a\r\n\t b  \t"), (b"X-A", b"1"), (b"To", b"x@y.z"))
    data = wire(SIGNER.sign(Assembled(headers, body)), Assembled(headers, body))
    assert verifies(data)


def test_relaxed_forms():
    """RFC 6376 3.4.5."""
    assert relaxed_body(b" C \r\nD \t E\r\n\r\n\r\n") == b" C\r\nD E\r\n"
    assert relaxed_value(b"Y\t\r\n\tZ  ") == b"Y Z"


def test_touched_messages_fail():
    data = signed(outgoing())
    assert verifies(data)
    for name in (b"From", b"To", b"Subject", b"Reply-To", b"Content-Type"):
        assert not verifies(data.replace(b"From: ", name + b": evil@example.com\r\nFrom: ", 1)), name
    assert not verifies(data.replace(b"Hello", b"Hallo"))
    assert not verifies(data.replace(b"https://t.test/u", b"https://t.test/v"))
    assert not verifies(data.replace(b"Date: Sun", b"Date: Mon"))


def test_two_of_a_header_are_signed_from_the_bottom():
    headers = ((b"From", b"a@sender.test"), (b"References", b"one"), (b"References", b"two"))
    assembled = Assembled(headers, b"x\r\n")
    assert verifies(wire(SIGNER.sign(assembled), assembled))


def test_two_signers():
    other = Signer("mail.operator.test", "k2", pem(KEY).decode())
    assembled = assemble(outgoing())
    data = wire(other.sign(assembled) + SIGNER.sign(assembled), assembled)
    verifier = dkim.DKIM(data)
    found = lambda name, timeout=5: RECORD  # noqa: E731  (dkimpy's hook for DNS, one answer)
    assert verifier.verify(idx=0, dnsfunc=found)
    assert dkim.DKIM(data).verify(idx=1, dnsfunc=found)


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (rsa.generate_private_key(65537, 1024), "1024 bits"),
        (ec.generate_private_key(ec.SECP256R1()), "RSA"),
        (b"nonsense", "PEM"),
        (
            KEY.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"x"),
            ),
            "PEM",
        ),
    ],
)
def test_keys_refused(key, why):
    material = pem(key) if isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) else key
    with pytest.raises(DkimError, match=why):
        Signer("sender.test", "s1", material)


@pytest.mark.parametrize(
    ("domain", "selector"),
    [("Sender.test", "s1"), ("a b", "s1"), ("", "s1"), ("sender.test", ""), ("sender.test", "s1; x=y"), ("a\r\n", "s")],
)
def test_names_refused(domain, selector):
    with pytest.raises(DkimError):
        Signer(domain, selector, KEY)


@pytest.mark.needs_root
def test_opendkim_accepts(tmp_path):
    program = shutil.which("opendkim", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        if os.environ.get("CI") == "true":
            pytest.fail("opendkim is not installed; in CI it must be")
        pytest.skip("opendkim is not installed")
    (tmp_path / "keys").write_bytes(b"s1._domainkey.sender.test " + RECORD + b"\n")
    (tmp_path / "conf").write_text(f"Mode v\nTestPublicKeys {tmp_path / 'keys'}\nAlwaysAddARHeader yes\n")
    messages = {
        "plain": signed(outgoing()),
        "blanks": signed(outgoing(text="\t a  b \t\n \n\n\n", subject="a   b")),
        "empty": signed(outgoing(text="")),
        "eight": signed(outgoing(text="Grüße 漢字 \x0b\n" * 20, html="<p>é</p>", subject="Größe " * 40)),
        "whole": signed(
            outgoing(
                cc=tuple(parse_mailbox(f'"Doe, {n}" <c{n}@example.com>') for n in range(9)),
                attachments=(Attachment("ä.bin", "a/b", b"\0\xff" * 500),),
            )
        ),
    }
    messages["touched"] = messages["plain"].replace(b"Hello", b"Hallo")
    messages["added"] = messages["plain"].replace(b"Subject:", b"Subject: evil\r\nSubject:")
    for name, data in messages.items():
        (tmp_path / name).write_bytes(data)
        run = subprocess.run(
            [program, "-x", tmp_path / "conf", "-t", tmp_path / name, "-vvv"],
            capture_output=True, text=True, check=False, timeout=30,
        )  # fmt: skip
        passed = "dkim=pass" in run.stdout + run.stderr
        assert passed is (name not in ("touched", "added")), (name, run.stdout, run.stderr)
