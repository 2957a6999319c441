"""Imports promise: a file's lines are read as they stand, in whichever encoding says so itself; else it is refused."""

import csv
import io
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.control.imports.importer import Column, Unreadable, Words
from troth.control.imports.table import LATIN, LONGEST, Table

TEXT = "email,city\r\nana@example.net,Málaga\r\nbo@example.net,Århus\r\n"
WORDS = Words("t", "s", "/", "rows", (Column("email", ("e-mail", "recipient"), required=True), Column("city")))


def table(data: bytes, asked: str = "detect", size: int = 7) -> Table:
    """In parts of a few octets, so that characters are cut in two."""
    return Table(iter([data[at : at + size] for at in range(0, len(data), size)]), asked)


def read(data: bytes, asked: str = "detect") -> list[tuple[int, tuple[str, ...], str]]:
    return [(each.number, each.cells, each.fault) for each in table(data, asked)]


@pytest.mark.parametrize(
    ("codec", "asked", "said"),
    [
        ("utf-8", "detect", "UTF-8"),
        ("utf-8-sig", "detect", "UTF-8, with its mark"),
        ("utf-16", "detect", "UTF-16"),
        ("cp1252", LATIN, "Latin-1 (Windows-1252)"),
    ],
)
def test_every_encoding_that_says_so_reads_the_same(codec, asked, said):
    found = table(TEXT.encode(codec), asked, 4096)
    assert found.encoding == said
    assert found.header == ("email", "city")
    assert [each.cells for each in found] == [("ana@example.net", "Málaga"), ("bo@example.net", "Århus")]


@pytest.mark.parametrize("mark", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_of_either_byte_order(mark):
    data = mark + TEXT.encode("utf-16-le" if mark == b"\xff\xfe" else "utf-16-be")
    assert [each[0] for each in read(data)] == [2, 3]


@pytest.mark.parametrize(
    ("data", "asked", "words"),
    [
        (b"", "detect", "empty"),
        (b"\r\n\r\n  \r\n", "detect", "empty"),
        (TEXT.encode("cp1252"), "detect", "Line 2 is not UTF-8.*Latin-1"),
        (("email\n" + "a@b.example\n" * 5000 + "é@b.example\n").encode("latin-1"), "detect", "Line 5,002 is not UTF-8"),
        (TEXT.encode("utf-16-le"), "detect", "zero bytes"),
        (TEXT.encode("utf-16")[:-1], "detect", "not UTF-16 any more"),
        (TEXT.encode("utf-32"), "detect", "UTF-32"),
        (TEXT.encode("utf-8-sig"), LATIN, "said to be Latin-1"),
        (b"email\n\x81@b.example\n", LATIN, "Line 2 has a byte"),
        (b"PK\x03\x04rest", "detect", "spreadsheet"),
        (b'[{"email": "a@b.example"}]', "detect", "JSON"),
        (b"\x1f\x8b\x08", "detect", "gzip"),
        (b'email\n"a@b.example\nc@d.example\n', "detect", "line 2 is never closed"),
        (b'email\n"' + b"a\n" * 200_000, "detect", "line 2 is never closed"),
        (b"a" * (LONGEST + 1) + b"\nemail\n", "detect", "first line is longer"),
        (b"\0email\n", "detect", "zero bytes"),
        ("email\nzoë@b.example\n".encode(), LATIN, "Line 2 reads as UTF-8"),
        (b'"a"b,email\n', "detect", "first line cannot be read"),
    ],
)
def test_what_is_no_such_file_is_refused_in_words(data, asked, words):
    with pytest.raises(Unreadable, match=words):
        list(table(data, asked, 4096))


def test_a_quote_in_the_wrong_place_costs_one_line():
    found = read(b'email,city\na@b.example,"x"y\nc@d.example,z\n')
    assert [(number, cells) for number, cells, _ in found] == [(2, ()), (3, ("c@d.example", "z"))]
    assert "quote" in found[0][2].lower()


@pytest.mark.parametrize(("data", "code", "words"), [
    (b"a\0@b.example,x\n", "zero-byte", "zero byte"),
    (b"a" * 10_000_000 + b"\n", "too-long", "longer than 65,536"),
    (b"a" * (LONGEST + 1) + b"\r\n", "too-long", "longer than 65,536"),
    (b'"a@b.example,x\nq@d.example,y\n"e@f.example,z\n', "quotes", "lines 2 to 4 are left out with it"),
])  # fmt: skip
def test_a_line_that_cannot_be_read_is_left_out_alone(data, code, words):
    first, *rest = table(b"email,city\n" + data + b"c@d.example,z\n", size=4096)
    assert (first.number, first.code, first.cells) == (2, code, ())
    assert words in first.fault
    assert [(each.cells, each.fault) for each in rest] == [(("c@d.example", "z"), "")]


def test_a_line_of_the_greatest_length_is_read():
    assert read(b"email\n" + b"a" * LONGEST + b"\nb\n")[0][1] == ("a" * LONGEST,)
    assert read(b"email\r" + b"a" * LONGEST + b"\rb\r")[1][1] == ("b",)


def test_a_cell_over_several_lines_says_so_when_it_is_left_out():
    assert [each.where for each in table(b'email,city\n"a\nb\nc"\nd\n')] == ["Lines 2 to 4, read as one,", "This line"]


def test_lines_are_numbered_as_the_file_has_them():
    found = read(b'\n\nemail,city\n\na@b.example,"two\nlines"\n\n,\nc@d.example,z')
    assert [(number, cells[0]) for number, cells, _ in found] == [(5, "a@b.example"), (9, "c@d.example")]


@pytest.mark.parametrize("data", [b"email;city\na@b.example;x, y\n", b"email\tcity\na@b.example\tx, y\n",
                                  b"sep=;\nemail;city\na@b.example;x, y\n", b'"email, of whom"|city\na@b.example|x, y\n'])  # fmt: skip
def test_the_separator_is_the_first_lines_own(data):
    assert [cells for _, cells, _ in read(data)] == [("a@b.example", "x, y")]


def test_old_line_ends():
    assert [cells for _, cells, _ in read(b"email\ra@b.example\rc@d.example\r")] == [("a@b.example",), ("c@d.example",)]


cells = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12).map(str.strip).filter(bool)


@given(st.lists(st.lists(cells, min_size=2, max_size=2), max_size=12), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
       st.integers(1, 40))  # fmt: skip
def test_what_a_csv_writer_wrote_comes_back(rows, codec, size):
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerows([["email", "city"], *rows])
    found = table(out.getvalue().encode(codec), "detect", max(size, 4))
    assert [list(each.cells) for each in found] == rows


@given(st.binary(max_size=300), st.sampled_from(["detect", LATIN]))
def test_any_bytes_are_lines_or_a_sentence(data, asked):
    with suppress(Unreadable):
        for line in table(data, asked, 50):
            assert line.cells or line.fault


def test_columns_go_by_several_names_and_others_are_told():
    assert WORDS.find(["City", " E_Mail "]) == {"city": 0, "email": 1}
    assert WORDS.ignored(["email", "Shoe size"]) == ["Shoe size"]
    with pytest.raises(Unreadable, match="names no column “email”"):
        WORDS.find(["city"])
    with pytest.raises(Unreadable, match="Two columns could be “email”"):
        WORDS.find(["email", "Recipient"])
