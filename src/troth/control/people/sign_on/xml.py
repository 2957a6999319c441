"""Signing on: XML from strangers, read without document types and entities; nothing is ever fetched for it."""

import re

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

_DECLARED = re.compile(rb"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)")
LARGEST = 256 * 1024  # octets
NAMES = {
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}


class BadXml(ValueError):  # noqa: N818 - reads as the answer it is
    """The sentence says what is wrong with it."""


def parse(data: bytes) -> etree._Element:
    """The root. Anything that could make two readers see two documents is refused (BadXml)."""
    if len(data) > LARGEST:
        raise BadXml(f"It is longer than {LARGEST // 1024} KB.")
    _check_encoding(data)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise BadXml("It declares a document type, which is never read.")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_blank_text=False
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as wrong:
        raise BadXml(f"It is not XML: {wrong}.") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise BadXml("It declares a document type, which is never read.")
    return root


def check_plain(root: etree._Element) -> None:
    """Neither comments nor instructions: what a signature does not cover must not cut a value in two."""
    document = root.getroottree()
    odd = list(document.iter(etree.Comment, etree.ProcessingInstruction, etree.Entity))
    if odd or root.getprevious() is not None or root.getnext() is not None:
        raise BadXml("It has comments or processing instructions in it.")


def text(node: etree._Element) -> str:
    """What an element says, where it says it in one piece."""
    if len(node):
        raise BadXml(f"{etree.QName(node).localname} has elements in it where a value was meant.")
    return (node.text or "").strip()


def found(node: etree._Element, path: str) -> list[etree._Element]:
    """The elements at an XPath of ours."""
    return list(node.xpath(path, namespaces=NAMES))


def _check_encoding(data: bytes) -> None:
    declared = _DECLARED.match(data)
    if declared and declared[1].lower() not in (b"utf-8", b"us-ascii"):
        raise BadXml("It is not in UTF-8.")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadXml("It is not in UTF-8.") from None
    if b"\0" in data:
        raise BadXml("It is not in UTF-8.")
