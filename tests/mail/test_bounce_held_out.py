"""Letters of many mail systems that were written before the rules were looked at: who did not get it, is it for good?

Each begins with "==== verdict recipient name"; h: the address is bad, s: another failure, none: no failure, e: the
letter says "unknown" but not to which command, so either is right.
"""

from pathlib import Path

import pytest

from troth.mail.bounce import read

LETTERS = [
    (*head.split(" ", 2), body)
    for head, _, body in (
        one.partition("\n")
        for one in Path(__file__).with_name("held_out_letters.txt").read_text(encoding="utf-8").split("==== ")[1:]
    )
]
KINDS = {"h": {"hard"}, "s": {"soft"}, "e": {"hard", "soft"}}
MISSED = {"FML"}  # its text tells no command: the address stays


@pytest.mark.parametrize(
    ("verdict", "recipient", "body"),
    [(v, r, b) for v, r, n, b in LETTERS if n not in MISSED],
    ids=lambda value: value[:12],
)
def test_held_out_letters(verdict, recipient, body):
    head, _, text = body.partition("\n\n")
    mime = "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit"
    reading = read(f"{head}\n{mime}\n\n{text}".encode())
    if verdict == "none":
        assert not reading.recipients
        return
    assert [one.recipient for one in reading.recipients] == [recipient]
    assert {one.kind for one in reading.recipients} <= KINDS[verdict]


def test_in_doubt_an_address_is_good():
    missed = [read(body.encode()) for _, _, name, body in LETTERS if name in MISSED]
    assert missed
    assert not any(one.address_bad for each in missed for one in each.recipients)
