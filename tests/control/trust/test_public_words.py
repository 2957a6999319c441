"""What a page says to those who read it; what no reader sees, and chance drew, says nothing."""

import pytest

from troth.control.trust.public_words import Page, shown
from troth.rules.certificates import claimed

# two values that the forms' own makers drew: each names a card industry's rules to who looks letter by letter
ONCE = "Ijg4MjU1Mzk0LTk0ZTQtNDMyMi05NDdhLWU5YzU4NjFiNWM4ZCI:1xVbyv:ZEj2j9w73zJpCDGhVY0Q8Afp-pcI9NWKoT_bZ6gb5Dc"
TOKEN = "pcl2nMcYiJWTzYdyvuVcbTTAnEADs7qydu5i8jUCqtPIFckcc6hfLPTwy4qwbf9m"


def said(body, path="/trust/p/documents"):
    return [name for each in shown(Page(path, 200, body.encode())) for name in claimed(each.words)]


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


def test_the_signature_of_a_signed_text_says_nothing_and_the_text_does():
    signed = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n# {}\n-----BEGIN PGP SIGNATURE-----\n\n"
        "iHUEARYKAB0WIQTm2zBq\nPCI9x7kQ/soc2+Zk4=\n=pC1x\n-----END PGP SIGNATURE-----\n"
    )
    assert said(signed.format("Found a weakness?"), "/.well-known/security.txt") == []
    assert set(said(signed.format("We hold SOC 2"), "/.well-known/security.txt")) == {"SOC"}
    assert set(said(signed.format("We"), "/trust/p")) == {"SOC", "PCI"}, "a page shows it"
