"""Feedback: a DMARC aggregate report (RFC 7489 appendix C, RFC 9990): what a receiver saw of mail in a domain's name.

Any octets: an AggregateReport, or Unreadable with a closed word and a sentence. It is data of a stranger: it says
nothing of ours for certain. Words of results are lower-cased; what is missing is "".
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from troth.mail import dmarc_xml
from troth.mail.dmarc_words import Unreadable, count, ip, moment
from troth.mail.dmarc_xml import Node, NotWellFormed

NAMESPACE = "urn:ietf:params:xml:ns:dmarc-2.0"  # of RFC 9990
RECORDS = 10_000  # that are kept; further ones are counted
_FEW = 50  # results, reasons, extensions and errors of one
_SECTIONS = ("version", "report_metadata", "policy_published", "record", "extensions")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a receiver did not do as the policy says."""

    type: str
    comment: str


@dataclass(frozen=True, slots=True)
class DkimResult:
    domain: str
    selector: str
    result: str
    human_result: str


@dataclass(frozen=True, slots=True)
class SpfResult:
    """scope: mfrom or helo, "" where it was not said."""

    domain: str
    scope: str
    result: str
    human_result: str


@dataclass(frozen=True, slots=True)
class Extension:
    name: str
    definition: str


@dataclass(frozen=True, slots=True)
class Record:
    """count messages from one address; dkim and spf: aligned or not, as the receiver evaluated ("pass", "fail")."""

    source_ip: str
    count: int
    disposition: str
    dkim: str
    spf: str
    reasons: tuple[Reason, ...]
    envelope_to: str
    envelope_from: str
    header_from: str
    dkim_results: tuple[DkimResult, ...]
    spf_results: tuple[SpfResult, ...]
    extensions: tuple[Extension, ...]

    @property
    def aligned(self) -> bool:
        """Whether DMARC passed: one aligned pass is enough (RFC 9989 section 5.3)."""
        return "pass" in {self.dkim, self.spf}


@dataclass(frozen=True, slots=True)
class Policy:
    """As the receiver found it in DNS."""

    domain: str
    version_published: str
    adkim: str
    aspf: str
    p: str
    sp: str
    np: str
    pct: str
    fo: str
    testing: str
    discovery_method: str


@dataclass(frozen=True, slots=True)
class AggregateReport:
    """skipped: records that say no address or number; cut: records over the most that are kept; recovered: its XML was
    broken, and what could be saved was.
    """

    version: str
    namespace: str
    org_name: str
    email: str
    extra_contact_info: str
    report_id: str
    begin: datetime
    end: datetime
    errors: tuple[str, ...]
    generator: str
    policy: Policy
    records: tuple[Record, ...]
    extensions: tuple[Extension, ...]
    skipped: int = 0
    cut: int = 0
    recovered: bool = False

    @property
    def messages(self) -> int:
        return sum(each.count for each in self.records)


def read(octets: bytes) -> AggregateReport:
    """Total but for Unreadable; linear in time, and in memory by the records that are kept."""
    text = dmarc_xml.text_of(octets)
    if not text:
        raise Unreadable("empty", "It is empty: there is no report in it.")
    found = _Found()
    try:
        dmarc_xml.sections(text, "feedback", _SECTIONS, found.take)
    except NotWellFormed as fault:
        if fault.word != "xml":
            raise Unreadable(fault.word, str(fault)) from None
        return _mended(text, str(fault))
    return found.report()


def _mended(text: str, sentence: str) -> AggregateReport:
    """What is not well-formed, if it says all that a report must."""
    found = _Found()
    try:
        dmarc_xml.mended(text, "feedback", _SECTIONS, found.take)
        report = found.report()
    except NotWellFormed as fault:
        raise Unreadable(fault.word, str(fault)) from None
    except Unreadable:
        raise Unreadable("xml", sentence) from None
    if not report.records:
        raise Unreadable("xml", sentence)
    return replace(report, recovered=True)


class _Found:
    """Sections as they come; records are made at once, so that the tree of one is all that is held."""

    def __init__(self) -> None:
        self._sections: dict[str, Node] = {}
        self._records: list[Record] = []
        self._same: dict[str, str] = {}  # one object for the texts that repeat
        self._skipped = self._cut = 0

    def take(self, node: Node) -> None:
        if node.name != "record":
            self._sections.setdefault(node.name, node)
        elif len(self._records) >= RECORDS:
            self._cut += 1
        else:
            self._record(node)

    def _record(self, node: Node) -> None:
        source, number = ip(node.value("row", "source_ip")), count(node.value("row", "count"))
        if not source or number is None:
            self._skipped += 1
            return
        self._records.append(_record(node, source, number, self._one))

    def _one(self, text: str) -> str:
        return self._same.setdefault(text, text)

    def report(self) -> AggregateReport:
        if "feedback" not in self._sections:
            raise Unreadable("not-a-report", "It is XML without the element feedback: no DMARC aggregate report.")
        meta, policy = self._sections.get("report_metadata"), self._sections.get("policy_published")
        if meta is None or policy is None:
            raise Unreadable("incomplete", "It lacks report_metadata or policy_published.")
        if not policy.value("domain"):
            raise Unreadable("no-domain", "It does not say of which domain it is: policy_published has no domain.")
        return self._whole(meta, policy)

    def _whole(self, meta: Node, policy: Node) -> AggregateReport:
        email = meta.value("email")
        org = meta.value("org_name") or email.rpartition("@")[2]
        begin, end = moment(meta.value("date_range", "begin")), moment(meta.value("date_range", "end"))
        if not org:
            raise Unreadable("no-reporter", "It does not say whose it is: neither org_name nor email.")
        if begin is None or end is None or end < begin:
            raise Unreadable("no-dates", "It does not say of which time it is: begin and end of date_range.")
        root = self._sections["feedback"]
        extensions = self._sections.get("extensions")
        return AggregateReport(
            version=self._sections["version"].text.strip() if "version" in self._sections else "",
            namespace=next((v for k, v in root.attributes.items() if k == "xmlns" or v == NAMESPACE), ""),
            org_name=org, email=email, extra_contact_info=meta.value("extra_contact_info"),
            report_id=meta.value("report_id"), begin=begin, end=end,
            errors=tuple(e.text.strip() for e in meta.all("error") if e.text.strip())[:_FEW],
            generator=meta.value("generator"), policy=_policy(policy), records=tuple(self._records),
            extensions=_extensions(extensions), skipped=self._skipped, cut=self._cut,
        )  # fmt: skip


def _policy(node: Node) -> Policy:
    lower = {name: node.value(name).lower() for name in ("adkim", "aspf", "p", "sp", "np", "testing")}
    return Policy(
        domain=node.value("domain"), version_published=node.value("version_published"), pct=node.value("pct"),
        fo=node.value("fo"), discovery_method=node.value("discovery_method").lower(), **lower,
    )  # fmt: skip


One = Callable[[str], str]


def _record(node: Node, source: str, number: int, one: One) -> Record:
    def said(*path: str) -> str:
        return one(node.value(*path))

    names = "identifiers" if node.first("identifiers") else "identities"  # the second is Yahoo's of old
    evaluated, results = node.first("row", "policy_evaluated"), node.first("auth_results")
    return Record(
        source_ip=source, count=number,
        disposition=said("row", "policy_evaluated", "disposition").lower(),
        dkim=said("row", "policy_evaluated", "dkim").lower(),
        spf=said("row", "policy_evaluated", "spf").lower(),
        reasons=_reasons(evaluated),
        envelope_to=said(names, "envelope_to"), envelope_from=said(names, "envelope_from"),
        header_from=said(names, "header_from"),
        dkim_results=tuple(_dkim(each, one) for each in _some(results, "dkim")),
        spf_results=tuple(_spf(each, one) for each in _some(results, "spf")),
        extensions=_extensions(node.first("extensions")),
    )  # fmt: skip


def _some(node: Node | None, name: str) -> list[Node]:
    return [] if node is None else list(node.all(name))[:_FEW]


def _reasons(node: Node | None) -> tuple[Reason, ...]:
    found = (Reason(each.value("type").lower(), each.value("comment")) for each in _some(node, "reason"))
    return tuple(each for each in found if each.type or each.comment)


def _dkim(node: Node, one: One) -> DkimResult:
    domain, selector, human = (one(node.value(name)) for name in ("domain", "selector", "human_result"))
    return DkimResult(domain, selector, one(node.value("result").lower()), human)


def _spf(node: Node, one: One) -> SpfResult:
    domain, scope, human = (one(node.value(name)) for name in ("domain", "scope", "human_result"))
    return SpfResult(domain, scope.lower(), one(node.value("result").lower()), human)


def _extensions(node: Node | None) -> tuple[Extension, ...]:
    found = [] if node is None else list(node.all("extension"))[:_FEW]
    return tuple(Extension(e.attributes.get("name", ""), e.attributes.get("definition", "")) for e in found)
