"""RFC 8058's form, in the two encodings it may come in, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.flow.feedback.form import is_one_click

URLENCODED = "application/x-www-form-urlencoded"
PART = b'--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (URLENCODED, b"List-Unsubscribe=One-Click"),
        (f"{URLENCODED}; charset=utf-8", b"a=b&List-Unsubscribe=One-Click\r\n"),
        ("multipart/form-data; boundary=b", PART),
        ('Multipart/Form-Data; charset=utf-8; boundary="b"', PART.replace(b'"List-Unsubscribe"', b"List-Unsubscribe")),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Type: text/plain\r\ncontent-disposition: form-data; name=List-Unsubscribe\r\n\r\nOne-Click\r\n--b--"),
    ],
)  # fmt: skip
def test_one_click(content_type, body):
    assert is_one_click(content_type, body)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b"List-Unsubscribe=One-Click"), ("application/json", b'{"List-Unsubscribe":"One-Click"}'),
        (URLENCODED, b""), (URLENCODED, b"List-Unsubscribe=Two"), (URLENCODED, b"\xff"), (URLENCODED, b"a=b&" * 30),
        ("multipart/form-data", PART), ("multipart/form-data; boundary=c", PART), ("multipart/form-data; boundary=b", b"--b\r\n--b--"),
        ("multipart/form-data; boundary=b", PART.replace(b"name=", b"filename=")),
        ("multipart/form-data; boundary=b", PART.replace(b"\r\n\r\n", b"\r\n")),
    ],
)  # fmt: skip
def test_anything_else_is_none(content_type, body):
    assert not is_one_click(content_type, body)


@given(st.sampled_from([URLENCODED, "multipart/form-data; boundary=b"]), st.binary(max_size=100))
def test_any_body_is_answered(content_type, body):
    assert is_one_click(content_type, body) in (True, False)
