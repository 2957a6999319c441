"""Signature wrapping: a response that is signed soundly, taken apart and put together again so that another is named.

The eight arrangements of "On Breaking SAML: Be Whoever You Want to Be" (USENIX Security 2012), and some more.
"""

from copy import deepcopy

from lxml import etree
from tests.support.saml_idp import NS, assertion_of

_DS, _SAMLP = f"{{{NS['ds']}}}", f"{{{NS['samlp']}}}"


def _signature(node):
    return node.find("ds:Signature", NS)


def _stripped(node):
    copy = deepcopy(node)
    copy.remove(_signature(copy))
    return copy


def _evil(assertion, address, ident="_evil"):
    """The same about somebody else, without a signature."""
    copy = _stripped(assertion) if _signature(assertion) is not None else deepcopy(assertion)
    copy.set("ID", ident)
    for value in copy.xpath(".//saml:AttributeValue | .//saml:NameID", namespaces=NS):
        if "@" in (value.text or ""):
            value.text = address
    return copy


def _evil_response(root, address):
    evil = deepcopy(root)
    evil.set("ID", "_evil_response")
    old = assertion_of(evil)
    evil.replace(old, _evil(old, address))
    return evil


def inside_the_signature_of_a_response(root, address):
    evil = _evil_response(root, address)
    _signature(evil).append(_stripped(root))
    return evil


def beside_the_signature_of_a_response(root, address):
    evil = _evil_response(root, address)
    signature = _signature(evil)
    signature.addprevious(_stripped(root))
    return evil


def before_the_assertion(root, address):
    assertion_of(root).addprevious(_evil(assertion_of(root), address))
    return root


def round_the_assertion(root, address):
    good = assertion_of(root)
    evil = _evil(good, address)
    root.replace(good, evil)
    evil.append(good)
    return root


def with_the_signature_and_the_assertion_last(root, address):
    good = assertion_of(root)
    evil = _evil(good, address)
    evil.insert(1, deepcopy(_signature(good)))
    root.replace(good, evil)
    root.append(_stripped(good))
    return root


def with_the_assertion_in_the_signature(root, address):
    good = assertion_of(root)
    evil, signature = _evil(good, address), deepcopy(_signature(good))
    signature.append(_stripped(good))
    evil.insert(1, signature)
    root.replace(good, evil)
    return root


def in_extensions(root, address):
    good = assertion_of(root)
    extensions = etree.Element(f"{_SAMLP}Extensions")
    extensions.append(_evil(good, address, good.get("ID")))
    root.find("saml:Issuer", NS).addnext(extensions)
    return root


def with_the_assertion_in_an_object(root, address):
    good = assertion_of(root)
    evil, signature = _evil(good, address), deepcopy(_signature(good))
    etree.SubElement(signature, f"{_DS}Object").append(_stripped(good))
    evil.insert(1, signature)
    root.replace(good, evil)
    return root


def under_the_same_id(root, address):
    good = assertion_of(root)
    good.addprevious(_evil(good, address, good.get("ID")))
    return root


def in_another_namespace(root, address):
    good = assertion_of(root)
    evil = _evil(good, address)
    other = etree.fromstring(etree.tostring(evil).replace(NS["saml"].encode(), b"urn:other"))
    good.addprevious(other)
    return root


def by_a_second_statement(root, address):
    """Inside the signed assertion: the digest no longer fits."""
    good = assertion_of(root)
    good.append(deepcopy(_evil(good, address).find("saml:AttributeStatement", NS)))
    return root


OF_RESPONSES = (inside_the_signature_of_a_response, beside_the_signature_of_a_response)
OF_ASSERTIONS = (
    before_the_assertion,
    round_the_assertion,
    with_the_signature_and_the_assertion_last,
    with_the_assertion_in_the_signature,
    in_extensions,
    with_the_assertion_in_an_object,
    under_the_same_id,
    in_another_namespace,
    by_a_second_statement,
)
