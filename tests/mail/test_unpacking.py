"""What is packed comes out whole, or is refused for a named reason within bounded memory: bombs do not go off."""

import gzip
import io
import struct
import tracemalloc
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.dmarc import zipped

from troth.mail.unpacking import PACKED, UNPACKED, Unpackable, packed, unpack

WORDS = {"large", "ratio", "nested", "many", "doubled", "locked", "method", "broken"}


def fate(act):
    try:
        act()
    except Unpackable as found:
        return found.word
    return None


def fault(octets):
    with pytest.raises(Unpackable) as raised:
        unpack(octets)
    assert str(raised.value)
    return raised.value.word


@given(st.binary(max_size=3_000).filter(lambda b: not packed(b)))
def test_what_was_packed_comes_out(content):
    assert unpack(content) == (content,)
    assert unpack(gzip.compress(content)) == (content,)
    assert unpack(gzip.compress(content[:9]) + gzip.compress(content[9:])) == (content,)
    assert unpack(zipped(**{"a/": b"", "__MACOSX/a": b"x", "a.xml": content})) == (content,)
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("a", content)
        archive.writestr("b", b"2")
        archive.comment = b"comment"
    assert unpack(stored.getvalue()) == (content, b"2")


def test_bombs_are_refused_before_they_fill_the_memory():
    bomb = gzip.compress(bytes(200_000_000), 9)
    tracemalloc.start()
    assert fault(bomb) == "large"
    assert fault(gzip.compress(bytes(5_000_000), 9)) == "ratio"
    assert fault(zipped(a=bytes(9_000_000))) == "ratio"
    assert tracemalloc.get_traced_memory()[1] < 120_000_000
    tracemalloc.stop()
    noise = b"".join(zlib.compress(struct.pack("<I", n) * 2) for n in range(90_000))
    assert fault(gzip.compress(noise * 30)) == "large"
    assert fault(b"\x1f\x8b" + bytes(PACKED)) == "large"
    assert fault(b"PK\x03\x04" + bytes(PACKED)) == "large"
    assert fault(bytes(UNPACKED + 1)) == "large"
    half = noise * (UNPACKED // 2 // len(noise) + 1)
    assert fault(zipped(a=half, b=half)) == "large"


def test_an_archive_in_an_archive_is_refused():
    assert fault(gzip.compress(gzip.compress(b"a"))) == "nested"
    assert fault(zipped(a=gzip.compress(b"a"))) == "nested"
    assert fault(gzip.compress(zipped(a=b"a"))) == "nested"


def test_archives_that_are_strange_are_named():
    assert fault(zipped(**{f"f{n}": b"x" for n in range(21)})) == "many"
    assert fault(zipped()) == "broken"
    assert fault(zipped(**{"a/": b""})) == "broken"
    whole = zipped(a=b"one", b=b"two")
    assert fault(whole.replace(b"b", b"a", 2).replace(b"b", b"a")) == "doubled"
    entry = whole.index(b"PK\x01\x02")
    assert fault(whole[: entry + 8] + b"\x01" + whole[entry + 9 :]) == "locked"
    assert fault(whole[: entry + 10] + b"\x0c" + whole[entry + 11 :]) == "method"
    assert fault(whole[: entry + 16] + b"\xff\xff" + whole[entry + 18 :]) == "broken"
    assert fault(whole[: entry + 42] + b"\xff\xff" + whole[entry + 44 :]) == "broken"
    assert fault(whole[: entry + 20] + b"\xff\xff\x00\x00" + whole[entry + 24 :]) == "broken"
    assert fault(whole.replace(b"PK\x01\x02", b"PK\x01\x03", 1)) == "broken"
    assert fault(whole[:-10]) == "broken"
    end = whole.rindex(b"PK\x05\x06")
    assert fault(whole[: end + 12] + b"\xff\xff" + whole[end + 14 :]) == "broken"


def test_what_ends_early_is_broken():
    content = gzip.compress(b"some text" * 100)
    assert fault(content[:-12]) == "broken"
    assert fault(content[:12] + b"\xff\xff\xff" + content[15:]) == "broken"


@given(st.data())
def test_damage_is_an_answer(data):
    content = bytearray(data.draw(st.sampled_from([zipped(a=b"text" * 9, b=b"x"), gzip.compress(b"text" * 9)])))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    word = fate(lambda: unpack(bytes(content)))
    assert word is None or word in WORDS
