"""The name of a certificate is found however it is spelt, and what is none is left alone."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from troth.rules.certificates import claimed

SPELT = (
    "SOC 2", "soc2", "SOC-2", "SOC\u00a02", "S.O.C. 2", "SOC 2 Type II", "SOC Type 2", "SOC II", "SOC two", "SOC 2+",
    "\uff33\uff2f\uff23\u3000\uff12", "S\u200bOC\u200d 2", "\u0405\u041e\u0421 2", "S\u00adOC2", "SOC\u00b2",
    "\U0001f162\U0001f15e\U0001f152 2", "2 COS\u202e", "s\u0336o\u0336c\u0336 2", "\ua731\u1d0f\u1d04 2", "Soc2Certified",
    "ISO/IEC 27001:2022", "ISO-27001", "iso27001", "ISO 27 001", "IS0 27001", "iso iec 27018", "PCI-DSS", "pcidss",
    "P C I", "HIPAA", "H.I.P.A.A.", "HlPAA", "hipaa-compliant", "Cyber Essentials Plus", "cyberessentials", "FedRAMP",
    "HITRUST", "ISAE 3402", "SSAE-18", "TISAX", "CSA STAR", "FIPS 140-2", "BSI C5", "System and Organization Controls",
    "service organisation controls", "We are certified.", "our certifications", "accredited", "Privacy Shield",
)  # fmt: skip
NONE = (
    "This programme claims no certification, no seal and no audit of its own by others.",
    "A certificate that is not held is not claimed.", "Both sides show a certificate.", "ISO 3166 and ISO 8601", "also 2",
    "social 2", "associated 3 times", "27001 messages", "27,001 letters", "specific", "PCIe lanes", "soccer 2",
    "SOCKS 2", "an ISO date of 2026", "basic 5", "recipients", "GDPR, CCPA, CAN-SPAM, CASL, OWASP ASVS",
)  # fmt: skip


@pytest.mark.parametrize("text", SPELT)
def test_a_certificate_is_found_however_it_is_spelt(text):
    assert claimed(text)
    assert claimed(f"We are proud of {text} and of much else.")


@pytest.mark.parametrize("text", NONE)
def test_what_names_none_is_no_claim(text):
    assert claimed(text) == []


@pytest.mark.parametrize("text", ["019ab3c4-50c1-7abc-8def-150c00000000", "50c2deadbeef", "logo.50c1aaaa50c3aaaa.svg"])
def test_octets_of_chance_are_no_words(text):
    assert claimed(text) == []
    assert claimed(f"{text} SOC 2") == ["SOC"]
    assert claimed("50c2 certainly") == ["SOC"]


@given(st.datetimes(timezones=st.just(UTC)))
@example(datetime(2026, 11, 25, 22, 55, 43, 578_644, UTC))  # read as SSAE once, in a checkpoint's time
@example(datetime(2026, 11, 25, 9, 15, 43, 120_000, UTC))
@example(datetime(2026, 11, 25, 15, 43, 12, 0, UTC))
def test_a_time_names_none(at):
    for form in ("%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S", "%H:%M, %d %B %Y", "%H:%M %d.%m.%Y"):
        assert claimed(at.strftime(form)) == []


@given(st.text("0123456789 .,:;-/+()%"))
@example("154,312 letters in 1509001 and 150 27 001")
def test_figures_alone_name_none(figures):
    assert claimed(figures) == []


@pytest.mark.parametrize("text", ["1SO 27001", "I50 27001", "|$0 27001", "1s4e 3402", "5SA3 18"])
def test_figures_among_letters_are_letters(text):
    assert claimed(text)
