"""What the demo's mailbox keeps: a Maildir and its log, and that nothing else can be read through it."""

import stat

import pytest
from tests.support.mailbox import MAIL

from troth.cli.demo.mailbox_store import MailStore, message_id


def test_the_store_syncs_when_asked_and_reads_its_log_piece_by_piece(tmp_path):
    store = MailStore(tmp_path / "mail", fsync=True)
    big = b"Message-Id:\r\n <folded@x.test>\r\n\r\n" + b"x" * 200_000 + b"\r\n"
    name = store.keep(big, "", ["a@y.test", "b@y.test"], "250 ok")
    assert store.read(name) == big
    assert [entry.message_id for entry in store.entries()] == ["<folded@x.test>"] * 2
    with store.log.open("ab") as log:
        log.write(b'{"at":"2026')
    assert len(store.entries()) == 2
    other = MailStore(tmp_path / "mail")
    assert len(other.entries()) == 2
    assert stat.S_IMODE(store.log.stat().st_mode) == 0o600
    store.close()
    other.close()


@pytest.mark.parametrize("name", ["../mailbox.log", "nothing", "", ".", "..", "a/b", "x" * 200, "a\0b"])
def test_only_messages_can_be_read(store, name):
    store.note("a@x.test", ["b@y.test"], "550 no")
    assert store.read(name) is None


def test_a_message_that_was_read_is_found_in_cur(store):
    name = store.keep(MAIL, "", ["a@y.test"], "250 ok")
    (store.folder / "new" / name).rename(store.folder / "cur" / name)
    assert store.read(name) == MAIL


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"MESSAGE-ID: <a@b>\r\n\r\nx", "<a@b>"),
        (b"Subject: a\r\nMessage-Id:<a@b> \r\n\r\n", "<a@b>"),
        (b"Subject: a\r\n\r\nMessage-ID: <body@b>\r\n", None),
        (b"X-Message-ID: <a@b>\r\n\r\n", None),
        (b"Message-ID: <a@b>", "<a@b>"),
    ],
)
def test_the_message_id_is_the_headers(content, found):
    assert message_id(content) == found
