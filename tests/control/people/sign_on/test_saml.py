"""A SAML response is believed when a sound provider made it for us, for this request, now; and in no other case."""

import base64
import re
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest
import xmlsec
from lxml import etree
from tests.control.people.sign_on import wrapping
from tests.support.saml_idp import MFA_CLASS, NS, SamlIdp, assertion_of, encoded

from troth.control.people.sign_on import metadata, saml
from troth.control.people.sign_on.connection import SignOn
from troth.control.people.sign_on.metadata import Ours
from troth.control.people.sign_on.refusing import NotSignedOn

# python3-saml asks the clock in the old way
pytestmark = pytest.mark.filterwarnings(r"ignore:datetime\.datetime\.utc:DeprecationWarning")
OURS = Ours("https://troth.test/sign-on/one/metadata", "https://troth.test/sign-on/one/acs")
THEIRS = Ours("https://troth.test/sign-on/two/metadata", "https://troth.test/sign-on/two/acs")
ADDRESS, OTHER = "marguerite@firm.test", "emeka@firm.test"
REQUEST = "_" + "5" * 64


def now():
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def idp(tmp_path_factory):
    return SamlIdp(tmp_path_factory.mktemp("idp")).knows(metadata.write(OURS).decode())


@pytest.fixture(scope="module")
def terms(idp):
    return SignOn(domains=("firm.test",), saml=metadata.read(idp.metadata, now()))


@pytest.fixture(scope="module")
def asked(terms):
    return saml.request_url(terms.saml, OURS, REQUEST, now())


@pytest.fixture(scope="module")
def sound(idp, asked):
    """One sound response, signed by pysaml2 and xmlsec1, response and assertion both."""
    return idp.response(asked, ADDRESS)


@pytest.fixture(scope="module")
def signed(idp, asked):
    """One sound response whose assertion alone is signed, as most providers do."""
    return idp.forged(asked, ADDRESS)


def judge(xml, terms, ours=OURS):
    return saml.verified(saml.opened(encoded(xml)), terms, ours)


def refused(xml, terms, why, ours=OURS):
    with pytest.raises(NotSignedOn) as caught:
        judge(xml, terms, ours)
    assert re.search(why, caught.value.why), caught.value.why
    assert ADDRESS not in caught.value.why + caught.value.sentence
    assert caught.value.temporary is False


def test_our_request_is_one_that_the_provider_reads(idp, asked):
    request = idp.asked(asked)
    assert request.id == REQUEST
    assert request.issuer.text == OURS.entity_id
    assert request.assertion_consumer_service_url == OURS.acs_url
    assert request.destination == idp.sso


def test_a_request_goes_to_an_address_with_a_query_of_its_own(idp, terms):
    odd = saml.Saml(entity_id=idp.entity_id, sso_url='https://idp.firm.test/sso?app=a&b="<', certificates=())
    url = saml.request_url(odd, OURS, REQUEST, now())
    assert url.startswith('https://idp.firm.test/sso?app=a&b="<&SAMLRequest=')


def test_a_sound_response_says_who_it_is(sound, signed, terms):
    for xml in (sound, signed):
        found = judge(xml, terms)
        assert (found.address.addr_spec, found.name, found.second) == (ADDRESS, "Marguerite Alder", False)
        assert ADDRESS not in repr(found)


def test_a_second_factor_is_what_the_provider_names_so(idp, asked, terms):
    assert judge(idp.response(asked, ADDRESS, way=MFA_CLASS), terms).second is True


def test_certificates_overlap_while_a_provider_changes_its_key(idp, terms, asked, tmp_path):
    new = SamlIdp(tmp_path, name="new").knows(metadata.write(OURS).decode())
    both = SignOn(
        domains=terms.domains,
        saml=saml.Saml(entity_id=idp.entity_id, sso_url=idp.sso, certificates=(new.certificate, idp.certificate)),
    )
    assert judge(idp.forged(asked, ADDRESS), both).address.addr_spec == ADDRESS
    assert judge(new.forged(asked, ADDRESS), both).address.addr_spec == ADDRESS
    refused(new.forged(asked, ADDRESS), terms, "(?i)signature")


# ---- signatures


def test_an_unsigned_response_is_refused(idp, asked, terms):
    refused(idp.response(asked, ADDRESS, sign=False), terms, "the assertion is not signed")


def test_a_signed_response_with_an_unsigned_assertion_is_refused(idp, asked, terms):
    refused(idp.forged(asked, ADDRESS, sign=("response",)), terms, "the assertion is not signed")


def test_a_changed_assertion_is_refused(signed, terms):
    refused(signed.replace(ADDRESS, OTHER), terms, "(?i)signature")


def test_a_changed_response_round_a_good_assertion_is_refused(sound, terms):
    changed = sound.replace('IssueInstant="2', 'IssueInstant="3', 1)
    assert changed != sound
    refused(changed, terms, "(?i)signature")


def test_another_keys_signature_is_refused(asked, terms, tmp_path):
    stranger = SamlIdp(tmp_path, name="stranger").knows(metadata.write(OURS).decode())
    refused(stranger.response(asked, ADDRESS), terms, "(?i)signature")


SHA1 = xmlsec.Transform.RSA_SHA1, xmlsec.Transform.SHA1


@pytest.mark.parametrize(
    "algorithms", [SHA1, (SHA1[0], xmlsec.Transform.SHA256), (xmlsec.Transform.RSA_SHA256, SHA1[1])]
)
def test_sha1_is_refused(idp, asked, terms, algorithms):
    refused(idp.forged(asked, ADDRESS, algorithms=algorithms), terms, "algorithm that is not accepted")


@pytest.mark.parametrize("arrange", wrapping.OF_ASSERTIONS)
def test_a_wrapped_assertion_is_refused(signed, terms, arrange):
    wrapped = arrange(etree.fromstring(signed.encode()), OTHER)
    refused(etree.tostring(wrapped).decode(), terms, "assertion|signature|same ID|Signature")


@pytest.mark.parametrize("sign", [("response",), ("assertion", "response")])
@pytest.mark.parametrize("arrange", wrapping.OF_RESPONSES)
def test_a_wrapped_response_is_refused(idp, asked, terms, arrange, sign):
    wrapped = arrange(etree.fromstring(idp.forged(asked, ADDRESS, sign=sign).encode()), OTHER)
    refused(etree.tostring(wrapped).decode(), terms, "assertion|signature|same ID")


@pytest.mark.parametrize("arrange", wrapping.OF_ASSERTIONS[:-2])
def test_the_toolkit_by_itself_refuses_them_too(signed, terms, arrange, monkeypatch):
    """Two guards that know nothing of each other: ours is taken away, theirs still holds."""
    monkeypatch.setattr(saml.shape, "check", lambda root: None)
    wrapped = arrange(etree.fromstring(signed.encode()), OTHER)
    refused(etree.tostring(wrapped).decode(), terms, ".")


def test_a_signature_of_something_else_is_refused(signed, terms):
    root = etree.fromstring(signed.encode())
    root.find(".//ds:Reference", NS).set("URI", "")
    refused(etree.tostring(root).decode(), terms, "something else than what it stands in")


def test_a_transform_that_selects_is_refused(signed, terms):
    root = etree.fromstring(signed.encode())
    root.find(".//ds:Transform", NS).set("Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116")
    refused(etree.tostring(root).decode(), terms, "transforms that are not accepted")


def test_an_encrypted_assertion_is_refused_in_words(signed, terms):
    root = etree.fromstring(signed.encode())
    wrapper = etree.SubElement(root, f"{{{NS['saml']}}}EncryptedAssertion")
    root.remove(assertion_of(root))
    wrapper.text = "x"
    refused(etree.tostring(root).decode(), terms, "in clear")


# ---- what a signed assertion says


def at(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def node(root, path):
    return root.find(f".//saml:{path}", NS)


PAST = at(datetime.now(UTC) - timedelta(hours=1))
FUTURE = at(datetime.now(UTC) + timedelta(hours=2))


def set_on(path, **values):
    def change(root):
        for name, value in values.items():
            node(root, path).set(name, value)

    return change


def drop(path, *names):
    def change(root):
        one = node(root, path)
        for name in names:
            del one.attrib[name]
        if not names:
            one.getparent().remove(one)

    return change


def say(path, text):
    def change(root):
        for one in root.iterfind(f".//saml:{path}", NS):
            one.text = text

    return change


DATA = "SubjectConfirmationData"
WRONG = {
    "expired": (set_on("Conditions", NotOnOrAfter=PAST), "expired"),
    "not yet valid": (set_on("Conditions", NotBefore=FUTURE), "not yet valid"),
    "without conditions": (drop("Conditions"), "Conditions"),
    "confirmed for a time that is over": (set_on(DATA, NotOnOrAfter=PAST), "SubjectConfirmation|confirmation"),
    "confirmed for ever": (drop(DATA, "NotOnOrAfter"), "no confirmation"),
    "confirmed until nonsense": (set_on(DATA, NotOnOrAfter="soon"), "(?i)confirmation|time|invalid"),
    "another audience": (say("Audience", THEIRS.entity_id), "audience"),
    "an audience that begins like ours": (say("Audience", f"{OURS.entity_id}2"), "audience"),
    "no audience": (drop("AudienceRestriction"), "another audience"),
    "another recipient": (set_on(DATA, Recipient=THEIRS.acs_url), "(?i)confirmation"),
    "a recipient that begins like ours": (set_on(DATA, Recipient=f"{OURS.acs_url}/x"), "no confirmation"),
    "no recipient": (drop(DATA, "Recipient"), "no confirmation"),
    "another request": (set_on(DATA, InResponseTo="_other"), "(?i)confirmation"),
    "no request": (drop(DATA, "InResponseTo"), "no confirmation"),
    "another method": (
        set_on("SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
        "(?i)confirmation",
    ),
    "another issuer": (say("Issuer", "https://idp.elsewhere.test"), "(?i)issuer"),
    "no issuer": (say("Issuer", ""), "(?i)issuer"),
    "another destination": (lambda root: root.set("Destination", THEIRS.acs_url), "received at|destination"),
    "a destination that begins like ours": (lambda root: root.set("Destination", f"{OURS.acs_url}2"), "destination"),
    "without authentication": (drop("AuthnStatement"), "AuthnStatement"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_assertion_that_is_not_for_us_now_is_refused(idp, asked, terms, what):
    change, why = WRONG[what]
    refused(idp.forged(asked, ADDRESS, change), terms, why)


def test_a_response_for_another_client_of_ours_is_refused(signed, terms):
    refused(signed, terms, "(?i)received at|audience|destination", THEIRS)


def test_a_response_that_we_did_not_ask_for_is_refused(idp, asked, terms):
    def unasked(root):
        del root.attrib["InResponseTo"]

    with pytest.raises(NotSignedOn, match="did not ask") as caught:
        judge(idp.forged(asked, ADDRESS, unasked), terms)
    assert "begins here" in caught.value.sentence


def test_an_assertion_inside_a_response_to_another_request_is_refused(idp, asked, terms):
    """Somebody else's signed assertion, put into a response that names one's own request."""
    xml = idp.forged(asked, ADDRESS)
    stolen = xml.replace(f'InResponseTo="{REQUEST}"', 'InResponseTo="_mine"', 1)
    refused(stolen, terms, "(?i)confirmation")


def test_a_providers_no_is_told(idp, asked, terms):
    def failed(root):
        code = root.find(".//samlp:StatusCode", NS)
        code.set("Value", "urn:oasis:names:tc:SAML:2.0:status:Responder")
        etree.SubElement(code, code.tag, Value="urn:oasis:names:tc:SAML:2.0:status:AuthnFailed")

    with pytest.raises(NotSignedOn) as caught:
        judge(idp.forged(asked, ADDRESS, failed), terms)
    assert caught.value.sentence == "Your provider did not sign you on; it said: AuthnFailed."


# ---- the address


@pytest.mark.parametrize(
    "address",
    ["marguerite@elsewhere.test", "marguerite@sub.firm.test", "marguerite@firm.test.elsewhere.test", "x@xfirm.test"],
)
def test_an_address_of_another_domain_is_refused(idp, asked, terms, address):
    refused(idp.response(asked, address), terms, "not bound to this client")


def test_case_does_not_make_another_domain(idp, asked, terms):
    assert judge(idp.response(asked, "Marguerite@FIRM.test"), terms).address.normal == ADDRESS


@pytest.mark.parametrize("inserted", ["<!--x-->", "<?x y?>"])
def test_what_a_signature_does_not_cover_cuts_nothing_short(idp, asked, terms, inserted):
    """Canonical XML leaves comments out, so that the signature holds: marguerite@firm.test<!-- -->.elsewhere.test."""
    xml = idp.forged(asked, f"{ADDRESS}.elsewhere.test")
    with pytest.raises(NotSignedOn, match="comments or processing instructions"):
        saml.opened(encoded(xml.replace(f"{ADDRESS}.", f"{ADDRESS}{inserted}.")))


def test_an_element_inside_a_value_is_refused(idp, asked, terms):
    def split(root):
        for one in root.iterfind(".//saml:AttributeValue", NS):
            if one.text == ADDRESS:
                etree.SubElement(one, "b").tail = ".elsewhere.test"

    refused(idp.forged(asked, ADDRESS, split), terms, "(?i)elements in it where a value was meant|schema|invalid")


def test_several_addresses_are_refused(idp, asked, terms):
    def more(root):
        first = next(one for one in root.iterfind(".//saml:Attribute", NS) if one.get("Name").startswith("urn:oid:0.9"))
        copy = deepcopy(first[0])
        copy.text = OTHER
        first.append(copy)

    refused(idp.forged(asked, ADDRESS, more), terms, "several e-mail addresses")


def test_an_address_that_is_said_not_to_be_verified_is_refused(idp, asked, terms):
    def unverified(root):
        statement = node(root, "AttributeStatement")
        one = etree.SubElement(statement, f"{{{NS['saml']}}}Attribute", Name=saml._VERIFIED)
        etree.SubElement(one, f"{{{NS['saml']}}}AttributeValue").text = "false"

    refused(idp.forged(asked, ADDRESS, unverified), terms, "not verified")


def test_the_name_id_serves_where_no_attribute_names_an_address(idp, asked, terms):
    assert judge(idp.forged(asked, ADDRESS, drop("AttributeStatement")), terms).name == "marguerite"


def test_a_name_id_of_another_format_is_no_address(idp, asked, terms):
    def other(root):
        drop("AttributeStatement")(root)
        node(root, "NameID").set("Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent")

    refused(idp.forged(asked, ADDRESS, other), terms, "no e-mail address")


# ---- XML


DTD = '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    ("encoded_one", "why"),
    [
        ("", "cannot be read"),
        ("%%%", "cannot be read"),
        (base64.b64encode(b"not xml").decode(), "not XML"),
        (encoded(f"{DTD}<a>&x;</a>"), "document type"),
        (base64.b64encode("<?xml version='1.0' encoding='UTF-16'?><a/>".encode("utf-16")).decode(), "UTF-8"),
        (base64.b64encode(b"<?xml version='1.0' encoding='utf-7'?><a/>").decode(), "UTF-8"),
        (encoded("<a>" + "b" * 300_000 + "</a>"), "longer than"),
        ("A" * 1_000_000, "too long"),
        (encoded("<a/>"), "did not ask"),
    ],
)
def test_what_is_not_a_response_is_refused(encoded_one, why):
    with pytest.raises(NotSignedOn, match=why):
        saml.opened(encoded_one)


def test_a_document_type_before_a_good_response_is_refused(signed):
    with pytest.raises(NotSignedOn, match="document type"):
        saml.opened(encoded(DTD + signed))
