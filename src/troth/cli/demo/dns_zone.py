"""The demo's DNS data: names and their records as plain text, and what a question about them is answered.

    {"example.test": {"SOA": ["ns.example.test. host.example.test. 1 3600 600 86400 60"], "TXT": ["v=spf1 -all"],
                      "MX": ["10 mx.example.test."]}, "*.wild.test": {"A": ["127.0.0.1"]}}

A TXT value is the text itself: it is quoted and cut into strings of 255 octets here. Names without a final dot are
absolute all the same. The pseudo-type RCODE (SERVFAIL, REFUSED, ... or DROP, no answer at all) makes a name fail.
Every name lies in a zone: its nearest ancestor with an SOA, or, where none is given, its top-level domain with one
of ours. RFC 1034 4.3.2, wildcards RFC 4592, negative answers RFC 2308.
"""

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    Zones = Mapping[str, Mapping[str, Iterable[str]]]

TTL = 5  # seconds: demo and break tests change records and want to see it
CHAIN_LIMIT = 8  # CNAMEs followed
DROP = "DROP"
_IN = dns.rdataclass.IN
_SOA, _CNAME, _ANY = dns.rdatatype.SOA, dns.rdatatype.CNAME, dns.rdatatype.ANY


class ZoneError(ValueError):
    """Records that cannot be read; the sentence names the record."""


@dataclass(slots=True)
class Found:
    """The sections of an answer. `drop` means that none is to be given."""

    rcode: dns.rcode.Rcode = dns.rcode.NOERROR
    answer: list[dns.rrset.RRset] = field(default_factory=list)
    authority: list[dns.rrset.RRset] = field(default_factory=list)
    drop: bool = False


class Records:
    """All names this server knows."""

    def __init__(self, zones: "Zones | None" = None) -> None:
        self._sets: dict[dns.name.Name, dict[dns.rdatatype.RdataType, dns.rrset.RRset]] = {}
        self._faults: dict[dns.name.Name, str] = {}
        for name, types in (zones or {}).items():
            for kind, values in types.items():
                self.set(name, kind, values)

    def set(self, name: str, kind: str, values: "Iterable[str]") -> None:
        """Replace the records of one name and type; no values remove them."""
        owner, texts = _name(name), [values] if isinstance(values, str) else list(values)
        if kind.upper() == "RCODE":
            self._set_fault(owner, texts)
            return
        rrset = _rrset(owner, kind, texts)
        self.remove(name, kind)
        if rrset is not None:
            self._sets.setdefault(owner, {})[rrset.rdtype] = rrset

    def remove(self, name: str, kind: str | None = None) -> None:
        """Remove one type of a name, or the name."""
        owner = _name(name)
        if kind is None or kind.upper() == "RCODE":
            self._faults.pop(owner, None)
        if kind is None:
            self._sets.pop(owner, None)
        elif kind.upper() != "RCODE" and owner in self._sets:
            self._sets[owner].pop(_type(kind), None)
            if not self._sets[owner]:
                del self._sets[owner]

    def find(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> Found:
        """Answer a question, CNAMEs followed as far as this server knows them."""
        found = Found()
        for _ in range(CHAIN_LIMIT):
            target = self._step(name, kind, found)
            if target is None:
                break
            name = target
        return found

    def _step(self, name: dns.name.Name, kind: dns.rdatatype.RdataType, found: Found) -> dns.name.Name | None:
        """Answer for one name; gives the target when that is a CNAME to follow."""
        fault = self._faults.get(name)
        if fault is not None:
            found.drop, found.rcode = fault == DROP, dns.rcode.SERVFAIL if fault == DROP else dns.rcode.from_text(fault)
            return None
        soa = self._soa(name)
        if soa is None:
            if not found.answer:  # a CNAME may well leave what we know
                found.rcode = dns.rcode.REFUSED
            return None
        sets = self._at(name)
        if sets is None:
            found.rcode = dns.rcode.NXDOMAIN
            found.authority.append(soa)
            return None
        return self._take(name, kind, sets, soa, found)

    def _take(
        self,
        name: dns.name.Name,
        kind: dns.rdatatype.RdataType,
        sets: dict[dns.rdatatype.RdataType, dns.rrset.RRset],
        soa: dns.rrset.RRset,
        found: Found,
    ) -> dns.name.Name | None:
        wanted = list(sets.values()) if kind == _ANY else [sets[kind]] if kind in sets else []
        if not wanted and _CNAME in sets:
            found.answer.append(_owned(sets[_CNAME], name))
            return cast("dns.name.Name", sets[_CNAME][0].target)
        if kind == _SOA and not wanted and soa.name == name:
            wanted = [soa]
        found.answer.extend(_owned(rrset, name) for rrset in wanted)
        if not wanted:
            found.authority.append(soa)
        return None

    def _at(self, name: dns.name.Name) -> dict[dns.rdatatype.RdataType, dns.rrset.RRset] | None:
        """The records of a name or of the wildcard that covers it; {} for a name with none; None: no such name."""
        if name in self._sets:
            return self._sets[name]
        if self._exists(name):
            return {}
        encloser = name
        while len(encloser) > 1:
            encloser = encloser.parent()
            if self._exists(encloser) or len(encloser) == 1:
                return self._sets.get(dns.name.Name((b"*", *encloser.labels)))
        return None

    def _exists(self, name: dns.name.Name) -> bool:
        """Whether the name, or one below it, has records (an empty non-terminal exists)."""
        soa = self._soa(name)
        return (soa is not None and soa.name == name) or any(known.is_subdomain(name) for known in self._sets)

    def _soa(self, name: dns.name.Name) -> dns.rrset.RRset | None:
        """The SOA of the name's zone."""
        apex = name
        while len(apex) > 1:
            if _SOA in self._sets.get(apex, {}):
                return self._sets[apex][_SOA]
            apex = apex.parent()
        top = dns.name.Name(name.labels[-2:])
        if len(name) < 2 or not any(known.is_subdomain(top) for known in (*self._sets, *self._faults)):
            return None
        return dns.rrset.from_text(top, TTL, _IN, _SOA, f"ns.{top} hostmaster.{top} 1 3600 600 86400 {TTL}")

    def _set_fault(self, owner: dns.name.Name, texts: list[str]) -> None:
        self._faults.pop(owner, None)
        if not texts:
            return
        word = texts[0].upper()
        try:
            if word != DROP:
                dns.rcode.from_text(word)
        except dns.exception.DNSException as error:
            raise ZoneError(f"{owner} RCODE {texts[0]!r}: use SERVFAIL, REFUSED, NXDOMAIN or DROP.") from error
        self._faults[owner] = word


def load(path: "Path") -> Records:
    """Read a zone file (JSON)."""
    try:
        return Records(dict(json.loads(path.read_text("utf-8")).items()))
    except (ValueError, AttributeError, TypeError) as error:
        raise ZoneError(f"{path.name} cannot be read: {error}") from error


def _name(text: str) -> dns.name.Name:
    try:
        return dns.name.from_text(text).canonicalize()
    except dns.exception.DNSException as error:
        raise ZoneError(f"{text!r} is not a domain name.") from error


def _type(text: str) -> dns.rdatatype.RdataType:
    try:
        return dns.rdatatype.from_text(text)
    except (dns.exception.DNSException, ValueError) as error:
        raise ZoneError(f"{text!r} is not a record type.") from error


def _rrset(owner: dns.name.Name, kind: str, texts: list[str]) -> dns.rrset.RRset | None:
    if not texts:
        return None
    shown = [_quoted(text) for text in texts] if kind.upper() == "TXT" else texts
    try:
        return dns.rrset.from_text_list(owner, TTL, _IN, _type(kind), shown, origin=dns.name.root, relativize=False)
    except (dns.exception.DNSException, ValueError) as error:
        raise ZoneError(f"{owner} {kind} {texts!r} cannot be read: {error}") from error


def _quoted(text: str) -> str:
    """A TXT value in presentation form: strings of at most 255 octets, odd ones escaped (RFC 1035 5.1)."""
    octets = text.encode()
    pieces = [octets[at : at + 255] for at in range(0, len(octets), 255)] or [b""]
    return " ".join('"' + "".join(map(_character, piece)) + '"' for piece in pieces)


def _character(octet: int) -> str:
    return chr(octet) if 0x20 <= octet < 0x7F and octet not in b'"\\' else f"\\{octet:03d}"


def _owned(rrset: dns.rrset.RRset, name: dns.name.Name) -> dns.rrset.RRset:
    """The set under the name that was asked, which a wildcard's is not."""
    if rrset.name == name:
        return rrset
    return dns.rrset.from_rdata_list(name, rrset.ttl, list(rrset))
