"""What is taken as evidence, and the many files that are not: other types, two at once, and those that do something."""

import time
import zlib
from pathlib import Path

import pytest
from tests.control.evidence.conftest import PDF

from troth.control.evidence.scanning import MOST, scan
from troth.control.evidence.unfit import Unfit


def chunk(kind, body=b""):
    return len(body).to_bytes(4) + kind + body + zlib.crc32(kind + body).to_bytes(4)


SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEAD = chunk(b"IHDR", (1).to_bytes(4) * 2 + b"\x08\x00\x00\x00\x00")
DATA, END = chunk(b"IDAT", zlib.compress(b"\0\0")), chunk(b"IEND")
PNG = SIGNATURE + HEAD + DATA + END
FRAME = b"\xff\xc0\x00\x0b\x08\x00\x01\x00\x01\x01\x01\x11\x00"
SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00" + b"\x12\xff\x00\xff\xd0\x34"
JPEG = b"\xff\xd8\xff\xe0\x00\x04ab" + FRAME + SCAN + b"\xff\xd9"


def pdf(body, head=b"%PDF-1.7\n", tail=b"\n%%EOF\n"):
    return head + body + tail


def stream(words, packed):
    return b"4 0 obj\n<< " + words + b" >>\nstream\n" + packed + b"\nendstream\nendobj"


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.pdf", PDF, "application/pdf"),
        ("a.PDF", pdf(stream(b"/Type /ObjStm /Filter /FlateDecode", zlib.compress(b"<< /Type /Page >>"))), "application/pdf"),
        ("a.pdf", pdf(stream(b"/Filter /FlateDecode", b"/JS (x) /AA ")), "application/pdf"),
        ("a.png", PNG, "image/png"),
        ("a.jpg", JPEG, "image/jpeg"),
        ("a.jpeg", JPEG, "image/jpeg"),
        ("a.txt", "Geprüft am 3. März\n".encode(), "text/plain"),
        ("a.csv", b"name,points\nAnn,-5\nBea,+1.5\n", "text/csv"),
        ("a.json", b'{"findings": []}', "application/json"),
    ],
)  # fmt: skip
def test_the_six_types_are_taken(name, content, media_type):
    assert scan(name, content).media_type == media_type


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.pdf", b""),
        ("a.pdf", b"%PDF-" + b"\0" * MOST),
        ("a.exe", b"MZ"),
        ("a", PDF),
        ("a.pdf", PNG),
        ("a.png", PDF),
        ("a.txt", PDF),
        ("a.jpg", PNG),
        ("a.html", b"<p>"),
        ("a.svg", b"<svg/>"),
        ("a.pdf", b"\n" + PDF),
        ("a.pdf", PDF[:-6]),
        ("a.pdf", PDF + b"PK\x03\x04"),
        ("a.pdf", pdf(b"PK\x05\x06" + b"\0" * 18)),
        ("a.pdf", pdf(b"<html><script>alert(1)</script>")),
        *(("a.pdf", pdf(b"1 0 obj\n<< " + each + b" >>\nendobj")) for each in (
            b"/S /JavaScript /JS (app.alert(1))", b"/S /J#61vaScript", b"/#4a#61#76#61#53#63#72#69#70#74 (x)",
            b"/S /Launch /F (cmd)", b"/Names << /EmbeddedFiles 2 0 R >>", b"/Type/EmbeddedFile", b"/OpenAction 3 0 R",
            b"/Open#41ction 3 0 R", b"/AA << /O 3 0 R >>", b"/A#41 << >>", b"/EF << /F 2 0 R >>", b"/XFA 2 0 R", b"/Subtype/RichMedia",
            b"/S /SubmitForm", b"/Encrypt 5 0 R",
        )),
        ("a.pdf", pdf(stream(b"/Length 0", b"<< /S /JavaScript >>"))),
        ("a.pdf", pdf(stream(b"/Type /ObjStm /Filter /FlateDecode", zlib.compress(b"<< /OpenAction 1 0 R >>")))),
        ("a.pdf", pdf(stream(b"/Type /Obj#53tm /Filter /Fl#61teDecode", zlib.compress(b"<< /JS (x) >>")))),
        ("a.pdf", pdf(stream(b"/Type /ObjStm", b"<< /AA << >> >>"))),
        ("a.pdf", pdf(stream(b"/Type /ObjStm /Filter [/ASCIIHexDecode /FlateDecode]", b"00"))),
        ("a.pdf", pdf(stream(b"/Type /ObjStm /Filter /FlateDecode", b"not packed"))),
        ("a.pdf", pdf(stream(b"/Type /ObjStm /Filter /FlateDecode", zlib.compress(b"x" * 100)[:-6]))),
        ("a.pdf", pdf(stream(b"/Type /ObjStm /Filter /FlateDecode", zlib.compress(b"x" * (65 << 20))))),
        ("a.pdf", pdf(b"4 0 obj << /Type /ObjStm >> endobj")),
        ("a.png", PNG + b"x"),
        ("a.png", PNG[:-1]),
        ("a.png", SIGNATURE + HEAD + END),
        ("a.png", SIGNATURE + DATA + END),
        ("a.png", SIGNATURE + HEAD + chunk(b"zzZz", b"#!/bin/sh") + DATA + END),
        ("a.png", PNG.replace(b"\x08\x00\x00\x00\x00", b"\x08\x02\x00\x00\x00")),
        ("a.jpg", JPEG + b"PK\x03\x04"),
        ("a.jpg", JPEG[:-2]),
        ("a.jpg", b"\xff\xd8\xff\xd9"),
        ("a.jpg", b"\xff\xd8" + FRAME + b"\xff\xd9"),
        ("a.jpg", b"\xff\xd8\xff\xe0\xff\xffab"),
        ("a.jpg", b"\xff\xd8\xff\xe0\x00\x02xx" + FRAME + SCAN + b"\xff\xd9"),
        ("a.txt", b"\xff\xfe"),
        ("a.txt", b"a\0b"),
        ("a.txt", "a\u202eb".encode()),
        ("a.txt", b"<!DOCTYPE html>"),
        ("a.txt", b"#!/bin/sh\n"),
        ("a.csv", b"a\n=HYPERLINK(1)\n"),
        ("a.csv", b'a\n"  @SUM(1)"\n'),
        ("a.csv", b"a\n-2+cmd|x\n"),
        ("a.csv", b'a\n"b'),
        ("a.json", b"{"),
        ("a.json", b"[NaN]"),
        ("a.json", b"[" * 200_000),
    ],
)  # fmt: skip
def test_everything_else_is_refused_in_words(name, content):
    with pytest.raises(Unfit) as refused:
        scan(name, content)
    assert refused.value.sentence.endswith((".", "."))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Bericht für März.pdf", "Bericht fur Marz.pdf"),
        ("../../etc/passwd.pdf", "passwd.pdf"),
        ("C:\\Users\\ann\\test.PDF", "test.pdf"),
        (".pdf", "evidence.pdf"),
        ("a\u202efdp.exe.pdf", "afdp.exe.pdf"),
        ('x"; rm -rf "y.pdf', "x- rm -rf -y.pdf"),
        ("." * 300 + "a" * 300 + ".pdf", "a" * 80 + ".pdf"),
        ("漢字.pdf", "evidence.pdf"),
    ],
)
def test_a_name_is_made_one(given, kept):
    assert scan(given, PDF).filename == kept


def test_real_files_are_taken():
    """Pictures that other programs made."""
    for picture in sorted(Path(__file__).parents[3].glob("docs/**/*.png"))[:5]:
        assert scan(picture.name, picture.read_bytes()).media_type == "image/png"


@pytest.mark.parametrize(
    "body", [b"/", b"/a", b"/#61 ", b"stream ", b"1 0 obj ", b"<< /A ", b"endobj ", b"obj\nstream\nendstream\n"]
)
def test_a_large_file_of_anything_is_judged_in_seconds(body):
    begun = time.process_time()
    try:
        scan("a.pdf", pdf(body * ((MOST - 100) // len(body))))
    except Unfit:
        pass
    assert time.process_time() - begun < 20
