"""Whether a sending domain's DKIM key record verifies what this installation signs (RFC 6376, RFC 8301)."""

import base64
import binascii

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from troth.mail.domain_auth.finding import Finding
from troth.mail.domain_auth.tag_list import TagList, tag_list

MIN_BITS = 2048


def dkim(records: tuple[str, ...], public_key_der_b64: str, *, at: str = "the selector's name") -> Finding:
    """Check a selector's TXT records against our key (SubjectPublicKeyInfo DER in base64)."""
    publish = f'"v=DKIM1; k=rsa; p={public_key_der_b64}"'
    if not records:
        return Finding(False, "dkim.missing", f"Publish a TXT record at {at}: {publish}.")
    if len(records) > 1:
        # RFC 6376 section 3.6.2.2: with several the result is undefined, whichever is ours.
        sentence = f"Publish one TXT record at {at}, not {len(records)}: receivers may read any of them."
        return Finding(False, "dkim.several", sentence, records)
    code, sentence = _judge(tag_list(records[0]), public_key_der_b64, at)
    return Finding(code == "dkim.ok", code, sentence, records)


def _judge(tags: TagList, ours: str, at: str) -> tuple[str, str]:
    if tags.faults or tags.repeated or not tags.pairs:
        return "dkim.syntax", f"Correct the record at {at}: it is not a list of tag=value, each tag once."
    version = tags.get("v")
    if version not in (None, "DKIM1") or (version and tags.first[0] != "v"):
        return "dkim.version", f'Begin the record at {at} with "v=DKIM1".'
    if tags.get("k", "rsa") != "rsa":
        return "dkim.type", f'Publish an RSA key at {at}: "k=rsa", not "k={tags.get("k")}".'
    limits = _limits(tags, at)
    return limits or _judge_key(tags, ours, at)


def _limits(tags: TagList, at: str) -> tuple[str, str] | None:
    """Tell a restriction under which the key would not verify our mail (h, s) or not count (t=y)."""
    if "y" in _words(tags, "t", ""):
        return (
            "dkim.testing",
            f'Remove the flag "y" from "t=" at {at}: receivers treat a domain in test mode as unsigned.',
        )
    if "sha256" not in _words(tags, "h", "sha256"):
        return "dkim.hash", f'Allow sha256 at {at}: remove "h=", or add sha256 to it.'
    if not {"*", "email"} & _words(tags, "s", "*"):
        return "dkim.service", f'Allow email at {at}: remove "s=", or add email to it.'
    return None


def _judge_key(tags: TagList, ours: str, at: str) -> tuple[str, str]:
    published = "".join((tags.get("p") or "").split())
    if "p" not in dict(tags.pairs):
        return "dkim.no_key", f'Add the key to the record at {at}: "p={ours}".'
    if not published:
        return "dkim.revoked", f'The key at {at} is revoked (an empty "p="): publish "p={ours}".'
    bits = _bits(published)
    if bits is None:
        return "dkim.key", f'The key at {at} cannot be read: publish "p={ours}".'
    if bits < MIN_BITS:
        return "dkim.weak", f"The key at {at} has {bits} bits, and {MIN_BITS} are needed: publish ours."
    if _octets(published) != _octets(ours):
        return (
            "dkim.other_key",
            f'The key at {at} is not the one that this service signs with: publish "p={ours}".',
        )
    return "dkim.ok", f"The DKIM key at {at} is ours, RSA of {bits} bits."


def _words(tags: TagList, name: str, default: str) -> set[str]:
    return {word.strip().lower() for word in (tags.get(name, default) or default).split(":")}


def _octets(text: str) -> bytes | None:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return None


def _bits(text: str) -> int | None:
    octets = _octets(text)
    try:
        key = None if octets is None else load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.key_size if isinstance(key, RSAPublicKey) else None
