"""Signing on with SAML: a provider's metadata, as it was pasted, becomes what is approved; and ours, for the provider.

Metadata is never fetched: an address in a form would make this server ask inner addresses.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from troth.control.people.sign_on import certificates, xml
from troth.control.people.sign_on.connection import Saml
from troth.control.people.sign_on.xml import BadXml, found, text

_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
_EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_MOST_CERTIFICATES = 5


@dataclass(frozen=True, slots=True)
class Ours:
    """What a provider has to know of us, for one client: each client has its own, so that no answer fits another's."""

    entity_id: str
    acs_url: str


def read(pasted: str, now: datetime) -> Saml:
    """Raise BadXml with a sentence that says what to paste instead."""
    root = xml.parse(pasted.strip().encode())
    providers = found(root, "descendant-or-self::md:EntityDescriptor[md:IDPSSODescriptor]")
    if len(providers) != 1:
        raise BadXml(f"It describes {len(providers)} identity providers: paste the metadata of one.")
    (provider,) = providers
    for dated in (root, provider):
        _check_until(dated.get("validUntil"), now)
    entity = (provider.get("entityID") or "").strip()
    if not entity:
        raise BadXml("The EntityDescriptor has no entityID.")
    return Saml(entity_id=entity, sso_url=_sso_url(provider), certificates=_certificates(provider, now))


def _sso_url(provider: etree._Element) -> str:
    services = found(provider, "md:IDPSSODescriptor/md:SingleSignOnService")
    at = [service.get("Location", "") for service in services if service.get("Binding") == _REDIRECT]
    if not at:
        raise BadXml("It names no SingleSignOnService with the HTTP-Redirect binding, which is the one that we use.")
    return str(at[0]).strip()


def _certificates(provider: etree._Element, now: datetime) -> tuple[str, ...]:
    """Those for signing, each once; one that has ended is left out while another holds."""
    keys = found(provider, "md:IDPSSODescriptor/md:KeyDescriptor[not(@use) or @use='signing']")
    texts = [text(node) for key in keys for node in found(key, "ds:KeyInfo/ds:X509Data/ds:X509Certificate")]
    try:
        read_ones = {one.der: one for one in map(certificates.read, texts)}
    except certificates.BadCertificate as wrong:
        raise BadXml(str(wrong)) from None
    if not read_ones:
        raise BadXml("It holds no certificate for signing, without which no answer can be believed.")
    valid = tuple(der for der, one in read_ones.items() if one.until > now)
    if not valid:
        raise BadXml("Its certificates have all ended: ask the provider for the current metadata.")
    if len(valid) > _MOST_CERTIFICATES:
        raise BadXml(f"It holds more than {_MOST_CERTIFICATES} certificates for signing.")
    return valid


def _check_until(until: str | None, now: datetime) -> None:
    if until is None:
        return
    try:
        ends = datetime.fromisoformat(until)
    except ValueError:
        raise BadXml("Its validUntil is not a time.") from None
    if (ends if ends.tzinfo else ends.replace(tzinfo=UTC)) <= now:
        raise BadXml("This metadata was valid until a day that is past: ask the provider for the current one.")


def write(ours: Ours) -> bytes:
    """Our metadata for one client (SAML 2.0 metadata, section 2.4.4): assertions signed, by POST to one address."""
    maker = etree.Element(_md("EntityDescriptor"), nsmap={"md": xml.NAMES["md"]}, entityID=ours.entity_id)
    sp = etree.SubElement(
        maker,
        _md("SPSSODescriptor"),
        AuthnRequestsSigned="false",
        WantAssertionsSigned="true",
        protocolSupportEnumeration=xml.NAMES["samlp"],
    )
    etree.SubElement(sp, _md("NameIDFormat")).text = _EMAIL
    acs = {"Binding": _POST, "Location": ours.acs_url, "index": "0", "isDefault": "true"}
    etree.SubElement(sp, _md("AssertionConsumerService"), acs)
    written: bytes = etree.tostring(maker, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return written


def _md(name: str) -> str:
    return f"{{{xml.NAMES['md']}}}{name}"
