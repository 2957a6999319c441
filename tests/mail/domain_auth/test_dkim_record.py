"""The DKIM key record of a sending domain: ours, strong, in force; or a cure in words."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.domain_auth import dkim


def der(key):
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(public).decode()


@pytest.fixture(scope="module")
def keys():
    return {
        "ours": der(rsa.generate_private_key(65537, 2048)),
        "other": der(rsa.generate_private_key(65537, 2048)),
        "weak": der(rsa.generate_private_key(65537, 1024)),
        "edwards": der(ed25519.Ed25519PrivateKey.generate()),
    }


def records_of(keys, text):
    return text.replace("OURS", keys["ours"]).replace("OTHER", keys["other"]).replace("WEAK", keys["weak"])


@pytest.mark.parametrize(
    "record",
    [
        "v=DKIM1; k=rsa; p=OURS",
        "v=DKIM1; p=OURS;",
        "p=OURS",
        " v = DKIM1 ; k = rsa ;\t h=sha1:sha256 ; s=email:web; t=s; n=note; x-new=1; p = OURS ; ",
        "v=DKIM1; s=*; p=OURS",
    ],
)
def test_a_dkim_record_that_verifies_our_mail(keys, record):
    assert dkim((records_of(keys, record),), keys["ours"]).code == "dkim.ok"


def test_a_dkim_key_may_be_folded(keys):
    folded = " ".join(keys["ours"][i : i + 60] for i in range(0, len(keys["ours"]), 60))
    assert dkim((f"v=DKIM1; p={folded}",), keys["ours"]).ok


@pytest.mark.parametrize(
    ("records", "code"),
    [
        ((), "dkim.missing"),
        (("v=DKIM1; p=OURS", "v=DKIM1; p=OURS"), "dkim.several"),
        (("v=DKIM1; p=OURS", "v=spf1 -all"), "dkim.several"),
        (("",), "dkim.syntax"),
        (("v=DKIM1; p=OURS; p=OURS",), "dkim.syntax"),
        (("v=DKIM1; nonsense; p=OURS",), "dkim.syntax"),
        (("v=DKIM1 k=rsa p=OURS",), "dkim.version"),
        (("v=dkim1; p=OURS",), "dkim.version"),
        (("v=DKIM2; p=OURS",), "dkim.version"),
        (("v=; p=OURS",), "dkim.version"),
        (("k=rsa; v=DKIM1; p=OURS",), "dkim.version"),
        (("v=DKIM1; k=ed25519; p=OURS",), "dkim.type"),
        (("v=DKIM1; t=y; p=OURS",), "dkim.testing"),
        (("v=DKIM1; t=s : Y; p=OURS",), "dkim.testing"),
        (("v=DKIM1; h=sha1; p=OURS",), "dkim.hash"),
        (("v=DKIM1; s=web; p=OURS",), "dkim.service"),
        (("v=DKIM1; k=rsa",), "dkim.no_key"),
        (("v=DKIM1; P=OURS",), "dkim.no_key"),
        (("v=DKIM1; p=",), "dkim.revoked"),
        (("v=DKIM1; p= \t",), "dkim.revoked"),
        (("v=DKIM1; p=%%%",), "dkim.key"),
        (("v=DKIM1; p=AAAA",), "dkim.key"),
        (("v=DKIM1; p=schön",), "dkim.key"),
        (("v=DKIM1; p=EDWARDS",), "dkim.key"),
        (("v=DKIM1; p=WEAK",), "dkim.weak"),
        (("v=DKIM1; p=OTHER",), "dkim.other_key"),
    ],
)
def test_a_dkim_record_that_does_not(keys, records, code):
    told = tuple(records_of(keys, record).replace("EDWARDS", keys["edwards"]) for record in records)
    found = dkim(told, keys["ours"], at="s1._domainkey.client.example")
    assert (found.ok, found.code) == (False, code)
    assert "s1._domainkey.client.example" in found.sentence
    assert found.saw == told


def test_a_weak_key_is_refused_even_when_it_is_ours(keys):
    assert dkim((f"v=DKIM1; p={keys['weak']}",), keys["weak"]).code == "dkim.weak"


@given(st.text(max_size=80))
def test_no_dkim_record_raises(text):
    assert not dkim((text,), "AAAA").ok
