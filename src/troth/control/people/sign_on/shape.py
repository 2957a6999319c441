"""Signing on with SAML: how a response may be built, so that what is signed is what is read (XML signature wrapping).

python3-saml has checks of its own; these know nothing of them, and are stricter: a response that passes holds one
assertion, in its place, with a signature of itself.
"""

import re

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from troth.control.people.sign_on import xml
from troth.control.people.sign_on.refusing import NotSignedOn
from troth.control.people.sign_on.xml import found

_ASSERTION = f"{{{xml.NAMES['saml']}}}Assertion"
# XML Signature's algorithms that a response may use; SHA-1 and what is not named are refused (RFC 9231)
_SIGNATURES = re.compile(r"http://www\.w3\.org/2001/04/xmldsig-more#(?:rsa|ecdsa)-sha(?:256|384|512)\Z")
_DIGESTS = frozenset(
    {
        "http://www.w3.org/2001/04/xmlenc#sha256",
        "http://www.w3.org/2001/04/xmldsig-more#sha384",
        "http://www.w3.org/2001/04/xmlenc#sha512",
    }
)
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_TRANSFORMS = frozenset({"http://www.w3.org/2000/09/xmldsig#enveloped-signature", _EXCLUSIVE})


def check(root: etree._Element) -> None:
    """One assertion, in its place, signed itself; no other element has an ID of one that is signed, or a signature."""
    assertions = root.xpath("//*[local-name()='Assertion' or local-name()='EncryptedAssertion']")
    signatures = root.xpath("//*[local-name()='Signature']")
    if [one.tag for one in assertions] != [_ASSERTION] or assertions[0].getparent() is not root:
        raise NotSignedOn("not exactly one assertion, in clear, in its place")
    (assertion,) = assertions
    if assertion not in [signature.getparent() for signature in signatures]:
        raise NotSignedOn("the assertion is not signed")
    if any(signature.getparent() not in (root, assertion) for signature in signatures) or len(signatures) > 2:
        raise NotSignedOn("a signature in a place where none belongs")
    ids = [value for node in root.iter("{*}*") for name, value in node.attrib.items() if name.lower() == "id"]
    if len(ids) != len(set(ids)):
        raise NotSignedOn("two elements have the same ID")
    for signature in signatures:
        _check_algorithms(signature)


def _check_algorithms(signature: etree._Element) -> None:
    """One reference, to the element that the signature is in; nothing older than SHA-256, no transform that selects."""
    references = found(signature, "ds:SignedInfo/ds:Reference")
    if [one.get("URI") for one in references] != [f"#{signature.getparent().get('ID')}"]:
        raise NotSignedOn("a signature of something else than what it stands in")
    methods = [one.get("Algorithm", "") for one in found(signature, "ds:SignedInfo/ds:SignatureMethod")]
    digests = [one.get("Algorithm", "") for one in found(signature, ".//ds:DigestMethod")]
    if len(methods) != 1 or not _SIGNATURES.match(methods[0]) or len(digests) != 1 or digests[0] not in _DIGESTS:
        raise NotSignedOn("a signature with an algorithm that is not accepted: SHA-256 or better is asked for")
    canon = [one.get("Algorithm") for one in found(signature, "ds:SignedInfo/ds:CanonicalizationMethod")]
    transforms = {one.get("Algorithm") for one in found(signature, ".//ds:Transform")}
    if canon != [_EXCLUSIVE] or transforms != _TRANSFORMS or found(signature, "ds:Object"):
        raise NotSignedOn("a signature with transforms that are not accepted")
