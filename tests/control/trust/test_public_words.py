"""What a page says to those who read it; what no reader sees, and chance drew, says nothing."""

import pytest

from troth.control.trust.public_words import Page, shown
from troth.rules.certificates import claimed

# two values that the forms' own makers drew: each names a card industry's rules to who looks letter by letter
ONCE = "Ijg4MjU1Mzk0LTk0ZTQtNDMyMi05NDdhLWU5YzU4NjFiNWM4ZCI:1xVbyv:ZEj2j9w73zJpCDGhVY0Q8Afp-pcI9NWKoT_bZ6gb5Dc"
TOKEN = "pcl2nMcYiJWTzYdyvuVcbTTAnEADs7qydu5i8jUCqtPIFckcc6hfLPTwy4qwbf9m"


def said(body):
    return [name for each in shown(Page("/trust/p/documents", 200, body.encode())) for name in claimed(each.words)]


@pytest.mark.parametrize("drawn", [ONCE, TOKEN])
@pytest.mark.parametrize("kind", ['type="hidden"', "type=HIDDEN"])
def test_a_hidden_value_says_nothing(drawn, kind):
    assert said(f'<form><input {kind} name="once" value="{drawn}"></form>') == []


@pytest.mark.parametrize("field", ["<input", '<input type="text"', '<input type="submit"', '<button type="hidden"'])
def test_a_value_that_is_seen_is_read(field):
    assert said(f'{field} value="We hold PCI DSS">') == ["PCI"]


def test_the_rest_of_a_hidden_field_is_read():
    assert said('<input type="hidden" value="" title="SOC 2">') == ["SOC"]


def test_a_piece_of_evidence_is_named_by_an_id_of_chance():
    assert said('<a href="/trust/p/evidence/019ab3c4-50c1-7abc-8def-0123456789ab">A drill</a>') == []
