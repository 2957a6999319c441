"""The one form of an archive: any program opens it, and what another program packed is refused."""

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as some

from troth.ledger.archive import pack, unpack
from troth.ledger.verify import Found

GOOD = pack({"README.txt": b"read me", "a/b.json": b"{}", "c": b""})


def packed(*files, **how):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", **how) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return made.getvalue()


@pytest.mark.parametrize("name", ["../up", "/etc/passwd", "a/../b", "a//b", "", "a\\b", "C:x", "ä", "a/", ".hidden",
                                  "x" * 101, "a/b/c/d/e", "a b", "a\0b"])  # fmt: skip
def test_a_name_that_leads_elsewhere_is_refused(name):
    with pytest.raises(ValueError, match="plain names"):
        pack({name: b""})


def test_what_another_program_packed_is_refused():
    """Compressed, doubled, linked, with a comment, or only otherwise."""
    files = list(unpack(GOOD).items())
    link = zipfile.ZipInfo("a-link")
    link.external_attr = 0o120777 << 16
    for data in (packed(*files), packed(*files, compression=zipfile.ZIP_DEFLATED), packed((link, "/etc/passwd")),
                 packed(("bomb", b"0" * 10**7), compression=zipfile.ZIP_DEFLATED)):  # fmt: skip
        with pytest.raises(Found):
            unpack(data)


@pytest.mark.parametrize("change", [
    lambda data: data + b"\0", lambda data: b"\0" + data, lambda data: data[:-1], lambda data: data[:50],
    lambda data: data[:10], lambda data: b"", lambda data: data + data,
    lambda data: data[:-2] + b"\x05\0hello",
])  # fmt: skip
def test_an_archive_that_is_cut_or_longer_is_refused(change):
    with pytest.raises(Found):
        unpack(change(GOOD))


def test_a_file_twice_or_out_of_its_place_is_refused():
    one, two = pack({"a": b"1"}), pack({"b": b"2"})
    part = [data[: data.index(b"PK\x01\x02")] for data in (one, two)]
    for data in (part[0] + one, part[1] + one):
        with pytest.raises(Found, match="twice, or not in its place"):
            unpack(data)


@given(some.binary(max_size=400))
def test_no_octets_do_more_than_be_refused(data):
    with pytest.raises(Found):
        unpack(data)
    with pytest.raises(Found):
        unpack(b"PK\x03\x04" + data)


@given(
    some.dictionaries(
        some.from_regex(r"[a-z]{1,5}(/[a-z]{1,3})?", fullmatch=True), some.binary(max_size=40), min_size=1
    )
)
def test_what_is_packed_is_unpacked(files):
    assert unpack(pack(files)) == files
