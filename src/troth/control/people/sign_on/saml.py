"""Signing on with SAML 2.0: the request that a browser takes to the provider, and the response that it brings back.

The signature is python3-saml's business (xmlsec, with the approved certificates alone). Round it stand conditions of
our own: what the toolkit lets pass when it is absent, such as an audience or InResponseTo, has to be there.
"""

import base64
import binascii
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types
from onelogin.saml2.errors import OneLogin_Saml2_Error  # type: ignore[import-untyped]  # nor does python3-saml
from onelogin.saml2.response import OneLogin_Saml2_Response  # type: ignore[import-untyped]  # the same
from onelogin.saml2.settings import OneLogin_Saml2_Settings  # type: ignore[import-untyped]  # the same

from troth.control.people.sign_on import shape, xml
from troth.control.people.sign_on.connection import Saml, SignOn
from troth.control.people.sign_on.identity import Identity, identity
from troth.control.people.sign_on.metadata import Ours
from troth.control.people.sign_on.refusing import NotSignedOn
from troth.control.people.sign_on.xml import BadXml, found, text

_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
_ADDRESSES = (
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
    "mail",
    "email",
)
_NAMES = (
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "displayName",
    "urn:oid:2.5.4.3",
    "name",
    "cn",
)
_VERIFIED = "http://schemas.auth0.com/email_verified"
_MICROSOFT_METHODS = "http://schemas.microsoft.com/claims/authnmethodsreferences"
# ways to authenticate that are more than a password
_SECOND = frozenset(
    {
        "https://refeds.org/profile/mfa",
        "http://schemas.microsoft.com/claims/multipleauthn",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:MobileTwoFactorContract",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:SmartcardPKI",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken",
    }
)


@dataclass(frozen=True, slots=True)
class Response:
    """A response that was parsed and is not believed yet. `in_response_to` says which attempt it claims to answer."""

    encoded: str
    root: Any
    in_response_to: str


def request_url(saml: Saml, ours: Ours, request_id: str, now: datetime) -> str:
    """Where the browser goes (HTTP-Redirect binding, section 3.4.4.1 of the bindings): an unsigned AuthnRequest."""
    root = etree.Element(_samlp("AuthnRequest"), nsmap={"samlp": xml.NAMES["samlp"], "saml": xml.NAMES["saml"]})
    asked = {
        "ID": request_id,
        "Version": "2.0",
        "IssueInstant": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "Destination": saml.sso_url,
        "ProtocolBinding": _POST,
        "AssertionConsumerServiceURL": ours.acs_url,
    }
    root.attrib.update(asked)
    etree.SubElement(root, f"{{{xml.NAMES['saml']}}}Issuer").text = ours.entity_id
    etree.SubElement(root, _samlp("NameIDPolicy"), Format=_EMAIL_FORMAT, AllowCreate="true")
    deflate = zlib.compressobj(wbits=-15)
    packed = base64.b64encode(deflate.compress(etree.tostring(root)) + deflate.flush()).decode()
    return f"{saml.sso_url}{'&' if urlsplit(saml.sso_url).query else '?'}{urlencode({'SAMLRequest': packed})}"


def opened(encoded: str) -> Response:
    """Read what a browser posted; raise NotSignedOn. Nothing in it is believed by this."""
    if len(encoded) > xml.LARGEST * 2:
        raise NotSignedOn("the response is too long")
    try:
        root = xml.parse(base64.b64decode("".join(encoded.split()), validate=True))
        xml.check_plain(root)
    except (BadXml, binascii.Error, ValueError) as wrong:
        raise NotSignedOn(f"the response cannot be read: {wrong}") from None
    asked = root.get("InResponseTo", "")
    if root.tag != _samlp("Response") or not asked:
        raise NotSignedOn(
            "a response that we did not ask for", "Sign-on begins here, not at your provider: start again on this page."
        )
    return Response(encoded, root, asked)


def verified(response: Response, terms: SignOn, ours: Ours) -> Identity:
    """Whose response it is, when all of it holds; raise NotSignedOn."""
    assert terms.saml is not None
    _check_status(response.root)
    shape.check(response.root)
    _check_signature(response, terms.saml, ours)
    assertion = found(response.root, "/samlp:Response/saml:Assertion")[0]
    try:
        _check_conditions(response, assertion, terms.saml, ours)
        return _identity(assertion, terms)
    except BadXml as wrong:
        raise NotSignedOn(f"the assertion cannot be read: {wrong}") from None


def _check_status(root: etree._Element) -> None:
    codes = [code.get("Value", "") for code in found(root, "/samlp:Response/samlp:Status//samlp:StatusCode")]
    if codes[:1] != [_SUCCESS]:
        said = codes[-1].rsplit(":", 1)[-1][:60] if codes else "nothing"
        raise NotSignedOn(f"the provider's status is {said}", f"Your provider did not sign you on; it said: {said}.")


def _check_signature(response: Response, saml: Saml, ours: Ours) -> None:
    acs = urlsplit(ours.acs_url)
    seen = {"https": "on" if acs.scheme == "https" else "off", "http_host": acs.netloc, "script_name": acs.path}
    try:
        settings = OneLogin_Saml2_Settings(_settings(saml, ours))
        judged = OneLogin_Saml2_Response(settings, response.encoded)
        if not judged.is_valid({**seen, "get_data": {}, "post_data": {}}, request_id=response.in_response_to):
            raise NotSignedOn(str(judged.get_error())[:200])
    except OneLogin_Saml2_Error as wrong:
        raise NotSignedOn(str(wrong)[:200]) from None


def _settings(saml: Saml, ours: Ours) -> dict[str, Any]:
    """Of our own making, because allauth's know one certificate; several overlap while a provider changes its key."""
    return {
        "strict": True,
        "debug": False,
        "sp": {
            "entityId": ours.entity_id,
            "assertionConsumerService": {"url": ours.acs_url, "binding": _POST},
            "NameIDFormat": _EMAIL_FORMAT,
        },
        "idp": {
            "entityId": saml.entity_id,
            "singleSignOnService": {"url": saml.sso_url},
            "x509certMulti": {"signing": list(saml.certificates)},
        },
        "security": {
            "wantAssertionsSigned": True,
            "wantNameId": False,
            "wantAttributeStatement": False,
            "rejectDeprecatedAlgorithm": True,
            "requestedAuthnContext": False,
            "allowSingleLabelDomains": True,  # the guard of addresses is elsewhere
            "allowRepeatAttributeName": True,
        },
    }


def _check_conditions(response: Response, assertion: etree._Element, saml: Saml, ours: Ours) -> None:
    """Issuer, audience, recipient, times and the request that is answered: each there, each exactly ours."""
    issuers = [text(one) for one in found(assertion, "saml:Issuer")]
    issuers += [text(one) for one in found(response.root, "/samlp:Response/saml:Issuer")]
    if not issuers or set(issuers) != {saml.entity_id}:
        raise NotSignedOn("another issuer")
    groups = found(assertion, "saml:Conditions/saml:AudienceRestriction")
    audiences = [{text(one) for one in found(group, "saml:Audience")} for group in groups]
    if not audiences or not all(ours.entity_id in group for group in audiences):
        raise NotSignedOn("another audience")
    if response.root.get("Destination", ours.acs_url) != ours.acs_url:
        raise NotSignedOn("another destination")
    bearers = found(
        assertion, f"saml:Subject/saml:SubjectConfirmation[@Method='{_BEARER}']/saml:SubjectConfirmationData"
    )
    if not any(_confirms(one, response.in_response_to, ours) for one in bearers):
        raise NotSignedOn("no confirmation of the subject for this recipient, request and time")


def _confirms(data: etree._Element, request_id: str, ours: Ours) -> bool:
    """A bearer's confirmation as section 4.1.4.2 of the profiles asks for, by the world's clock."""
    try:
        until = datetime.fromisoformat(data.get("NotOnOrAfter", ""))
    except ValueError:
        return False
    return (
        data.get("Recipient") == ours.acs_url
        and data.get("InResponseTo") == request_id
        and (until if until.tzinfo else until.replace(tzinfo=UTC)) > datetime.now(UTC)
    )


def _identity(assertion: etree._Element, terms: SignOn) -> Identity:
    attributes = _attributes(assertion)
    if any(value.lower() not in ("true", "1") for value in attributes.get(_VERIFIED, ())):
        raise NotSignedOn(
            "the provider says that the address is not verified", "Your provider has not verified your address."
        )
    addresses = {value.lower(): value for name in _ADDRESSES for value in attributes.get(name, ())}
    if not addresses:
        addresses = {value.lower(): value for value in _name_ids(assertion)}
    if len(addresses) > 1:
        raise NotSignedOn(
            "the provider named several e-mail addresses", "Your provider gave more than one e-mail address."
        )
    names = [value for name in _NAMES for value in attributes.get(name, ())]
    ways = {text(one) for one in found(assertion, "saml:AuthnStatement/saml:AuthnContext/saml:AuthnContextClassRef")}
    ways |= set(attributes.get(_MICROSOFT_METHODS, ()))
    return identity(
        next(iter(addresses.values()), None),
        next(iter(names), ""),
        second=bool(ways & _SECOND),
        domains=terms.domains,
    )


def _attributes(assertion: etree._Element) -> dict[str, list[str]]:
    read: dict[str, list[str]] = {}
    for attribute in found(assertion, "saml:AttributeStatement/saml:Attribute"):
        values = [text(one) for one in found(attribute, "saml:AttributeValue")]
        read.setdefault(attribute.get("Name", ""), []).extend(filter(None, values))
    return read


def _name_ids(assertion: etree._Element) -> Iterator[str]:
    for one in found(assertion, f"saml:Subject/saml:NameID[@Format='{_EMAIL_FORMAT}']"):
        yield text(one)


def _samlp(name: str) -> str:
    return f"{{{xml.NAMES['samlp']}}}{name}"
