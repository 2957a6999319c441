"""What stands under every message: in each part, whatever the content does, and escaped."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.footer import WHY, Footer, under
from troth.mail.render import Rendered

FOOTER = Footer("Alder & <Wren>", "14 Chandlers Row,\nBristol  BS1 6QF", "https://troth.example/r/abc")


def test_each_part_says_who_sends_it_and_where_to_look() -> None:
    found = under(Rendered("s", "<html><body><p>x</p></BODY ></html>", "x\n\n\n"), FOOTER)
    assert found.text == (
        f"x\n\nAlder & <Wren>, 14 Chandlers Row, Bristol BS1 6QF\n{WHY}:\nhttps://troth.example/r/abc\n"
    )
    assert found.html is not None
    assert found.html.startswith("<html><body><p>x</p><div")
    assert found.html.endswith("</div></BODY ></html>")
    assert "Alder &amp; &lt;Wren&gt;, 14 Chandlers Row, Bristol BS1 6QF" in found.html
    assert 'href="https://troth.example/r/abc"' in found.html
    assert found.subject == "s"


@pytest.mark.parametrize("part", ["html", "text"])
def test_a_part_that_is_not_there_stays_away(part: str) -> None:
    found = under(Rendered("s", **{"html": None, "text": None, part: ""}), FOOTER)
    other = "text" if part == "html" else "html"
    assert getattr(found, other) is None
    assert "Chandlers Row" in getattr(found, part)


@given(st.text(max_size=200))
def test_whatever_the_content_is_it_stays_and_the_footer_is_there_once(text: str) -> None:
    found = under(Rendered("s", text, text), FOOTER)
    assert found.html is not None
    assert found.text is not None
    assert found.html.replace(FOOTER.html(), "", 1) == text
    assert found.text.startswith(text.rstrip().lstrip("\n")[:1])
    assert found.text.endswith(FOOTER.text())
    assert FOOTER.link in html.unescape(found.html)
