"""A provider's metadata, as somebody pastes it: read to the letter, never fetched, and refused in words."""

import base64
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st
from tests.support.saml_idp import SamlIdp

from troth.control.people.sign_on import certificates, metadata, words
from troth.control.people.sign_on.certificates import BadCertificate
from troth.control.people.sign_on.connection import SignOn
from troth.control.people.sign_on.metadata import Ours
from troth.control.people.sign_on.xml import BadXml

OURS = Ours("https://troth.test/sign-on/one/metadata", "https://troth.test/sign-on/one/acs")
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def idp(tmp_path_factory):
    return SamlIdp(tmp_path_factory.mktemp("idp"))


def certificate(tmp_path_factory, **more):
    return SamlIdp(tmp_path_factory.mktemp("more"), **more).certificate


def described(
    *keys,
    sso='<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location=" https://idp.test/sso "/>',
    entity='entityID="https://idp.test"',
    more="",
    role="IDPSSODescriptor",
):
    given = "".join(
        f'<md:KeyDescriptor{use}><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>'
        f"{key}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for key, use in keys
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" {entity} {more}>'
        f'<md:{role} protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{given}{sso}</md:{role}></md:EntityDescriptor>'
    )


def test_what_pysaml2_writes_is_read(idp):
    found = metadata.read(idp.metadata, NOW)
    assert (found.entity_id, found.sso_url, found.certificates) == (idp.entity_id, idp.sso, (idp.certificate,))


def test_our_metadata_is_read_by_pysaml2(idp):
    known = idp.knows(metadata.write(OURS).decode()).server.metadata
    assert known.assertion_consumer_service(OURS.entity_id)[0]["location"] == OURS.acs_url


def test_certificates_overlap_and_those_that_ended_are_left_out(idp, tmp_path_factory):
    new, old = certificate(tmp_path_factory), certificate(tmp_path_factory, days=-3)
    wrapped = "\n ".join(idp.certificate[i : i + 64] for i in range(0, len(idp.certificate), 64))
    given = described(
        (wrapped, ' use="signing"'), (new, ""), (idp.certificate, ""), (old, ""), (new, ' use="encryption"')
    )
    found = metadata.read(given, NOW)
    assert found.certificates == (idp.certificate, new)
    assert found.sso_url == "https://idp.test/sso"
    with pytest.raises(BadXml, match="all ended"):
        metadata.read(described((old, "")), NOW)


def test_it_may_lie_inside_a_federations(idp):
    one = described((idp.certificate, "")).split("\n", 1)[1]
    many = '<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">{}</md:EntitiesDescriptor>'
    other = described(role="SPSSODescriptor").split("\n", 1)[1]
    assert metadata.read(many.format(one + other), NOW).entity_id == "https://idp.test"
    with pytest.raises(BadXml, match="describes 2 identity providers"):
        metadata.read(many.format(one + one), NOW)


WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
PAST = (NOW - timedelta(days=1)).isoformat()
POST_ONLY = (
    '<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://idp.test/sso"/>'
)


@pytest.mark.parametrize(
    ("pasted", "why"),
    [
        ("", "not XML"),
        ("https://idp.test/metadata", "not XML"),
        ("<a>", "not XML"),
        ("<a/>", "describes 0"),
        (described(role="SPSSODescriptor"), "describes 0"),
        (described(entity=""), "no entityID"),
        (described(sso=""), "HTTP-Redirect binding"),
        (described(sso=POST_ONLY), "HTTP-Redirect binding"),
        (described(), "no certificate"),
        (described(("AAAA", "")), "not a certificate"),
        (described(("%", "")), "not a certificate"),
        (described(("<b/>", "")), "elements in it"),
        (described(more=f'validUntil="{PAST}"'), "valid until a day that is past"),
        (described(more='validUntil="2020-01-01T00:00:00"'), "valid until a day that is past"),
        (described(more='validUntil="soon"'), "not a time"),
        ('<!DOCTYPE a SYSTEM "https://evil.test/a.dtd"><a/>', "document type"),
        ('<!DOCTYPE a [<!ENTITY b "c"><!ENTITY d "&b;&b;">]><a>&d;</a>', "document type"),
        ("<a>" + "b" * 300_000 + "</a>", "longer than 256 KB"),
        ('<?xml version="1.0" encoding="UTF-16"?><a/>', "not in UTF-8"),
        ("<a>\0</a>", "not in UTF-8"),
    ],
)
def test_what_cannot_be_used_is_refused_in_words(pasted, why):
    with pytest.raises(BadXml, match=why):
        metadata.read(pasted, NOW)


@given(st.text(max_size=400))
def test_any_text_is_read_or_refused(pasted):
    with suppress(BadXml):
        metadata.read(pasted, NOW)


def test_a_weak_key_is_refused(tmp_path):
    weak = SamlIdp.__new__(SamlIdp)
    from tests.support.saml_idp import make_key

    _, weak.certificate_file = make_key(tmp_path, "weak", bits=1024)
    with pytest.raises(BadCertificate, match="too weak"):
        certificates.read(weak.certificate)
    with pytest.raises(BadCertificate, match="not a certificate"):
        certificates.read(
            base64.b64encode(
                WEAK.public_key().public_bytes(
                    serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
                )
            ).decode()
        )


def test_a_connection_is_told_in_words(idp):
    terms = SignOn(domains=("firm.test",), saml=metadata.read(idp.metadata, NOW))
    told = dict(words.lines(terms))
    assert told["Protocol"] == "SAML 2.0"
    assert idp.sso in told["People are sent to"]
    assert "offered beside" in told["Single sign-on"]
    required = dict(words.lines(SignOn(domains=("firm.test",), saml=terms.saml, enforced=True)))
    assert required["If the provider is away"] == "nobody of this client gets in"
