"""Before anything is sent: a sending domain's DKIM key, and the DNS records that its firm publishes.

The private key is sealed under the client's keyset before it is seen here.
"""

import base64
from dataclasses import dataclass
from uuid import UUID

from troth.control.audit.refusals import refusals
from troth.control.audit.scope import Connection, within
from troth.keys.dkim_pairs import BITS, make_pair
from troth.keys.keyring import TenantKeys

PATH_LABEL = "bounce"  # bounce.<domain>: where a domain's bounces come back to
_STRING = 255  # octets of one character-string of a TXT record (RFC 1035 section 3.3)
_INSERT = """
INSERT INTO dkim_key (id, tenant_id, domain_id, selector, bits, private_ct, public_der, created_at)
VALUES (gen_random_uuid(), %s, %s, %s, %s, %s, %s, now_v1())
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One record to publish; `advice`: mail leaves without it."""

    name: str
    text: str
    why: str
    kind: str = "TXT"
    advice: bool = False


@dataclass(frozen=True, slots=True)
class Ours:
    """What the installation asks of every domain. `bounces`: its domain of return paths, "" where each return path is
    its own; `reports`: the domain whose dmarc@ and tlsrpt@ take reports, "" where none does.
    """

    spf: str
    bounces: str = ""
    reports: str = ""


def add_key(
    connection: Connection, keys: TenantKeys, *, tenant: UUID, domain: UUID, selector: str, bits: int = BITS
) -> bytes:
    """Make and keep an RSA key for a domain's selector; gives its public part (SubjectPublicKeyInfo, DER)."""
    pair = make_pair(keys, domain, selector, bits)
    with refusals(), within(connection, tenant):
        connection.execute(_INSERT, (tenant, domain, selector, bits, pair.private_ct, pair.public_der))
    return pair.public_der


def records(name: str, selector: str, public_der: bytes, spf_mechanism: str | Ours) -> list[Record]:
    """What must stand in the DNS before the domain sends, in the order SPF, DKIM, DMARC, return path; then advice."""
    ours = spf_mechanism if isinstance(spf_mechanism, Ours) else Ours(spf_mechanism)
    tell = f"; rua=mailto:dmarc@{ours.reports}" if ours.reports else ""
    spf = f"v=spf1 {ours.spf} -all"
    found = [
        Record(name, spf, "who may send; add the mechanism to a record that is there"),
        Record(f"{selector}._domainkey.{name}", key_record(public_der), "the key that signs"),
        Record(f"_dmarc.{name}", f"v=DMARC1; p=reject{tell}", "what becomes of mail that is not signed"),
    ]
    if ours.bounces:
        path = f"{PATH_LABEL}.{name}"
        found.append(Record(path, f"{ours.bounces}.", "where bounces come back to, so that SPF aligns", "CNAME"))
    if ours.reports:
        text = f"v=TLSRPTv1; rua=mailto:tlsrpt@{ours.reports}"
        found.append(Record(f"_smtp._tls.{name}", text, "reports of mail to you that was not encrypted", advice=True))
    return found


def authorisation(name: str, reports: str) -> Record:
    """What the operator publishes in its own zone, so that reports of the domain may come (RFC 9990 section 4)."""
    return Record(f"{name}._report._dmarc.{reports}", "v=DMARC1;", "that reports of this domain may come to us")


def key_record(public_der: bytes) -> str:
    return f"v=DKIM1; k=rsa; p={base64.b64encode(public_der).decode()}"


def strings(text: str, longest: int = _STRING) -> str:
    """A TXT record's text as quoted strings of at most 255 octets each, for the editors that want them so."""
    parts = [text[start : start + longest] for start in range(0, len(text), longest)]
    return " ".join(f'"{part}"' for part in parts)
