"""A backup's file: every octet of it is authenticated; what is cut off, changed, moved or foreign is found, in words."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.cli.backup.sealed import DATA, MAGIC, RECORD, Header, NotWhole, Reader, Writer

KEY = bytes(range(32))
HEADER = Header("2026-01-01", "8f0c", "local:00", b"wrapped")


def written(*parts, key=KEY, header=HEADER):
    out = io.BytesIO()
    writer = Writer(out, key, header)
    writer.begin()
    for part in parts:
        writer.data(part)
    writer.record({"end": True}, last=True)
    return out.getvalue()


def read(octets, key=KEY):
    return list(Reader(io.BytesIO(octets), "x.backup").frames(key))


WHOLE = written(b"one", b"two" * 100, b"")


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_what_was_written_is_read(parts):
    assert read(written(*parts)) == [*((DATA, part) for part in parts), (RECORD, b'{"end":true}')]


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255))
def test_every_changed_octet_is_found(place, by):
    changed = bytearray(WHOLE)
    changed[place] ^= by
    with pytest.raises(NotWhole):
        read(bytes(changed))


@given(st.integers(0, len(WHOLE) - 1))
def test_every_cut_is_found(length):
    with pytest.raises(NotWhole):
        read(WHOLE[:length])


def test_what_follows_the_end_is_found():
    with pytest.raises(NotWhole, match="goes on after its end"):
        read(WHOLE + WHOLE[-20:])


def test_a_frame_of_another_backup_under_the_same_key_does_not_fit():
    other = written(b"one", header=Header("2026-01-02", "8f0c", "local:00", b"wrapped"))
    start = len(written()) - len(written(b"one"))
    assert start < 0
    size = len(MAGIC) + 4 + int.from_bytes(other[len(MAGIC) : len(MAGIC) + 4], "big")
    mine = len(MAGIC) + 4 + int.from_bytes(WHOLE[len(MAGIC) : len(MAGIC) + 4], "big")
    with pytest.raises(NotWhole, match="changed"):
        read(WHOLE[:mine] + other[size:])


def test_frames_do_not_change_places():
    start = len(MAGIC) + 4 + int.from_bytes(WHOLE[len(MAGIC) : len(MAGIC) + 4], "big")
    first = 4 + int.from_bytes(WHOLE[start : start + 4], "big")
    second = 4 + int.from_bytes(WHOLE[start + first : start + first + 4], "big")
    a, b = WHOLE[start : start + first], WHOLE[start + first : start + first + second]
    with pytest.raises(NotWhole):
        read(WHOLE[:start] + b + a + WHOLE[start + first + second :])


@pytest.mark.parametrize("octets", [b"", b"PK\x03\x04", MAGIC, MAGIC + b"\xff\xff\xff\xff", MAGIC + b"\0\0\0\2{}"])
def test_what_is_no_backup_is_told_at_once(octets):
    with pytest.raises(NotWhole, match=r"not a Troth backup|in its header"):
        Reader(io.BytesIO(octets), "x.backup")


def test_another_key_opens_nothing():
    with pytest.raises(NotWhole):
        read(WHOLE, bytes(32))
