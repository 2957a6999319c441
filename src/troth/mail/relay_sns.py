"""Feedback: an SNS message as it is posted (Amazon SNS developer guide, "Verifying the signatures"): what it says, whom
it claims to come from, and whether a certificate's key signed it.

    SnsError(ValueError)   code: unreadable | unknown-type | foreign-host | bad-certificate | forged; permanent
"""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from troth.mail import relay_facts as say
from troth.mail.relay_json import BodyError, read_object
from troth.mail.relay_ses import moment

NOTIFICATION, CONFIRMATION, FAREWELL = "Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"
_SIGNED = {  # the keys that are signed, in their order; Subject only where it is there
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    CONFIRMATION: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    FAREWELL: ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}
_REGION = r"[a-z]{2}(?:-[a-z]{2,12}){1,3}-[1-9]"
_host_re = re.compile(rf"sns\.{_REGION}\.amazonaws\.com(?:\.cn)?\Z")
# The names in SNS's certificates: one for most regions, their own for those that came later or stand apart.
_signer_re = re.compile(rf"sns(?:-signing)?(?:[.-]{_REGION})?\.amazonaws\.com(?:\.cn)?\Z")
_pem_path_re = re.compile(r"/SimpleNotificationService-[0-9a-f]{1,64}\.pem\Z")
arn_re = re.compile(rf"arn:aws(?:-cn|-us-gov)?:sns:{_REGION}:[0-9]{{6,12}}:[A-Za-z0-9_-]{{1,256}}\Z")


class SnsError(ValueError):
    """A message that is not to be obeyed; the words say why, for whoever set it up."""

    temporary: ClassVar[bool] = False

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code = code


@dataclass(frozen=True, slots=True)
class Notice:
    """One SNS message. `fields`: its texts as given; nothing of it is believed before `verify`."""

    type: str
    id: str
    topic: str
    at: datetime
    message: str
    certificate_url: str
    subscribe_url: str
    version: str
    signature: bytes
    fields: Mapping[str, str]

    @property
    def to_sign(self) -> bytes:
        """Name and value, each with a line feed, in the order of the type."""
        names = [name for name in _SIGNED[self.type] if name in self.fields]
        return "".join(f"{name}\n{self.fields[name]}\n" for name in names).encode("utf-8", "replace")

    def event(self) -> Mapping[str, Any]:
        """What SES says in it; BodyError where that is no JSON object."""
        return read_object(self.message.encode("utf-8", "replace"))


def read(octets: bytes) -> Notice:
    """Take a POST's body apart; SnsError for what is no SNS message."""
    try:
        given = read_object(octets)
    except BodyError as wrong:
        raise SnsError("unreadable", str(wrong)) from None
    fields = {name: value for name, value in given.items() if isinstance(value, str)}
    type_ = fields.get("Type", "")
    if type_ not in _SIGNED:
        raise SnsError("unknown-type", "This is no SNS message: switch raw message delivery off at the subscription.")
    at = moment(fields.get("Timestamp"))
    if at is None or not fields.get("MessageId") or not fields.get("Message"):
        raise SnsError("unreadable", "The SNS message has no MessageId, Message or Timestamp.")
    return Notice(
        type_, fields["MessageId"][:200], fields.get("TopicArn", ""), at, fields["Message"],
        fields.get("SigningCertURL", ""), fields.get("SubscribeURL", ""), fields.get("SignatureVersion", ""),
        _decoded(fields.get("Signature", "")), fields,
    )  # fmt: skip


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def certificate_url(notice: Notice, origin: str | None = None) -> str:
    """Where its certificate stands, if it is SNS's, in the topic's region; else SnsError. origin: a test's own."""
    url = notice.certificate_url
    if not _at_sns(url, origin) or not _pem_path_re.match(urlsplit(url).path) or urlsplit(url).query:
        raise SnsError("foreign-host", "SigningCertURL is not a certificate of SNS: https://sns.REGION.amazonaws.com.")
    if origin is None and (urlsplit(url).hostname or "").split(".")[1] != region(notice.topic):
        raise SnsError("foreign-host", "SigningCertURL is of another region than the topic.")
    return url


def region(topic: str) -> str:
    """Of an ARN; "" of what is none."""
    return topic.split(":")[3] if arn_re.match(topic) else ""


def subscribe_url(url: str, origin: str | None = None) -> str:
    """The same for the address that confirms a subscription."""
    if not _at_sns(url, origin) or "Action=ConfirmSubscription" not in urlsplit(url).query.split("&"):
        raise SnsError("foreign-host", "SubscribeURL does not confirm a subscription at SNS.")
    return url


def _at_sns(url: str, origin: str | None) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    if origin is not None:
        return f"{parts.scheme}://{parts.netloc}" == origin
    plain = parts.scheme == "https" and port in (None, 443) and "@" not in parts.netloc and not parts.fragment
    return plain and bool(_host_re.match((parts.hostname or "").lower()))


def verify(notice: Notice, pem: bytes, now: datetime) -> None:
    """SnsError unless the certificate is SNS's, in force, and its key signed the message."""
    if notice.version not in _HASHES:
        raise SnsError("forged", "SignatureVersion is neither 1 nor 2.")
    key = _key(pem, now)
    try:
        key.verify(notice.signature, notice.to_sign, padding.PKCS1v15(), _HASHES[notice.version]())
    except InvalidSignature:
        raise SnsError("forged", "The signature does not hold: the message was changed, or is not SNS's.") from None


def _key(pem: bytes, now: datetime) -> rsa.RSAPublicKey:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        key = certificate.public_key()
        names = _names(certificate)
    except (ValueError, TypeError, x509.DuplicateExtension):
        raise SnsError("bad-certificate", "What stands at SigningCertURL is no certificate.") from None
    if not any(_signer_re.match(name.lower()) for name in names):
        raise SnsError("bad-certificate", "The certificate at SigningCertURL is not valid for SNS.")
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SnsError("bad-certificate", "The certificate at SigningCertURL is not in force.")
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < 2048:
        raise SnsError("bad-certificate", "The certificate at SigningCertURL has no RSA key of 2048 bits.")
    return key


def _names(certificate: x509.Certificate) -> list[str]:
    """Whom it is for: the alternative names; the common name where there are none."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return found.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        return [say.text(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
