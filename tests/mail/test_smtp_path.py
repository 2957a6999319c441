"""The path of MAIL and RCPT, as any server may write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.smtp_mailbox import GrammarError, read_mailbox
from troth.mail.smtp_path import NULL, POSTMASTER, read_path


@pytest.mark.parametrize(
    ("text", "path", "rest"),
    [
        ("<a@b.example>", "a@b.example", ""),
        ("<a@b.example> SIZE=12 BODY=8BITMIME", "a@b.example", "SIZE=12 BODY=8BITMIME"),
        ("<>", NULL, ""), ("<> RET=HDRS", NULL, "RET=HDRS"),
        ("<PostMaster>", POSTMASTER, ""),
        ("<@one.example,@two.example:a@b.example>", "a@b.example", ""),
        ('<"a > b"@b.example>', '"a > b"@b.example', ""),
        ('<"a\\"b"@b.example> X', '"a\\"b"@b.example', "X"),
        ("<a@[192.0.2.1]>", "a@[192.0.2.1]", ""),
        ("<müller@bücher.example>", "müller@xn--bcher-kva.example", ""),
    ],
)  # fmt: skip
def test_what_a_path_says(text: str, path: str, rest: str) -> None:
    assert read_path(text) == (path, rest)


@pytest.mark.parametrize("text", ["", "a@b.example", "<a@b.example", "a@b.example>", "<a b@c.example>", "<a@b.example>x",
                                  "<a@b.example>\tSIZE=1", "<<a@b.example>>", "<a@b.example\r\n>", "<a\0@b.example>",
                                  "<@one.example:>", "<@one.example>", "<a@b@c.example>", "<Bob <a@b.example>>",
                                  "<a@>", "<\udcff@b.example>", "<postmaster@>"])  # fmt: skip
def test_what_is_no_path(text: str) -> None:
    with pytest.raises(GrammarError):
        read_path(text)


@given(st.text(alphabet=st.sampled_from('<>@",:. \\abZ9-[]\r\n\0ä'), max_size=40))
def test_nothing_but_a_mailbox_gets_through(text: str) -> None:
    try:
        path, _ = read_path(text)
    except GrammarError:
        return
    assert path in (NULL, POSTMASTER) or read_mailbox(path).local == path.rpartition("@")[0]
    assert not set(path) & set("\r\n\0")
