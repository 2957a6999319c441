"""Which DMARC policy is effective for a From domain of the gate: RFC 9989's tree walk over records handed
in.

A tree maps each name of `walk_names(domain)` to its TXT records; names left out count as without records.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from troth.mail.domain_auth.finding import Finding
from troth.mail.domain_auth.tag_list import TagList, tag_list

MAX_QUERIES = 8  # RFC 9989 section 4.10: a longer name is cut to seven labels after the first query

_POLICIES = frozenset({"none", "quarantine", "reject"})
_MEANINGFUL = frozenset({"v", "p", "sp", "np", "t", "psd", "adkim", "aspf", "pct"})

type Tree = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy that applies to a domain; `fault` says why the record counts for nothing."""

    found_at: str  # the domain, without "_dmarc."
    tag: str  # the one it was taken from: p, sp, np
    value: str  # none, quarantine, reject; "" when not valid
    testing: bool  # t=y: receivers step down by one
    percent: int  # pct, of RFC 7489: gone from RFC 9989, and still obeyed by most receivers
    adkim: str  # r, s
    aspf: str
    fault: str
    record: str

    @property
    def rejects(self) -> bool:
        return self.value == "reject" and not self.testing and self.percent == 100 and not self.fault


@dataclass(frozen=True, slots=True)
class _Found:
    domain: str
    record: str
    tags: TagList

    @property
    def psd(self) -> str:
        return (self.tags.get("psd") or "u").lower()


def walk_names(domain: str) -> tuple[str, ...]:
    """Name what to look up, from the domain itself up to its last label: at most eight TXT questions."""
    return tuple(f"_dmarc.{name}" for name in _ancestry(domain))


def settles(records: tuple[str, ...]) -> bool:
    """Say whether the From domain's own records decide its policy, whatever stands above (section 4.10.1)."""
    return _single("", records) is not None


def stops(records: tuple[str, ...]) -> bool:
    """Say whether a walk ends at these records: one record, with psd=y or psd=n (section 4.10)."""
    found = _single("", records)
    return found is not None and found.psd in ("y", "n")


def organizational_domain(tree: Tree, domain: str) -> str:
    """Find the Organizational Domain (section 4.10.2); the domain itself when nothing says otherwise."""
    return _organizational(_walk(tree, domain), _clean(domain))


def policy(tree: Tree, domain: str, *, exists: bool = True) -> Policy | None:
    """Find the policy to apply (section 4.10.1): the domain's, its Organizational Domain's, its PSD's."""
    subject = _clean(domain)
    found = _walk(tree, subject)
    organization = _organizational(found, subject)
    by_domain = {item.domain: item for item in found}
    psd = next((item for item in found if item.psd == "y"), None)
    applied = by_domain.get(subject) or by_domain.get(organization) or psd
    return None if applied is None else _policy(applied, subject, exists=exists)


def dmarc(tree: Tree, domain: str, *, exists: bool = True) -> Finding:
    """Check that p=reject is effective for a From domain; `exists` is false after an NXDOMAIN for it."""
    subject = _clean(domain)
    own = tree.get(f"_dmarc.{subject}", ())
    several = len([record for record in own if _is_dmarc(record)]) > 1
    applied = policy(tree, subject, exists=exists)
    publish = f'Publish one TXT record at _dmarc.{subject}: "v=DMARC1; p=reject".'
    if several and (applied is None or not applied.rejects):
        return Finding(False, "dmarc.several", f"{publish} There are several, and receivers ignore them all.", own)
    if applied is None:
        return Finding(False, "dmarc.missing", publish, own)
    code, sentence = _judge(applied, subject, publish)
    return Finding(code == "dmarc.ok", code, sentence, (applied.record,))


def _judge(applied: Policy, subject: str, publish: str) -> tuple[str, str]:
    where = f"_dmarc.{applied.found_at}"
    if applied.fault:
        return (
            "dmarc.invalid",
            f"Correct the record at {where}: {applied.fault}, so it protects nothing. {publish}",
        )
    if applied.value != "reject":
        told = f"{applied.tag}={applied.value}"
        return "dmarc.policy", f'The record at {where} says "{told}" for {subject}. {publish}'
    if applied.testing:
        return (
            "dmarc.testing",
            f'Remove "t=y" from the record at {where}: it asks receivers to quarantine only.',
        )
    if applied.percent != 100:
        told = f"pct={applied.percent}"
        return (
            "dmarc.partial",
            f'Remove "{told}" from the record at {where}: many receivers reject only that share.',
        )
    return "dmarc.ok", f"{where} makes p=reject effective for {subject} (tag {applied.tag})."


def _policy(found: _Found, subject: str, *, exists: bool) -> Policy:
    tags = found.tags
    tag = "p"
    if found.domain != subject:
        wanted = ("sp",) if exists else ("np", "sp")
        tag = next((name for name in wanted if tags.get(name) is not None), "p")
    return Policy(
        found_at=found.domain,
        tag=tag,
        value=_value(tags, tag),
        testing=(tags.get("t") or "").lower() == "y",
        percent=_percent(tags),
        adkim=_mode(tags, "adkim"),
        aspf=_mode(tags, "aspf"),
        fault=_fault(tags),
        record=found.record,
    )


def _fault(tags: TagList) -> str:
    """Tell why receivers give the whole record no effect: one bad policy tag is enough (section 4.10.1)."""
    repeated = _MEANINGFUL.intersection(tags.repeated)
    if repeated:
        return f'"{min(repeated)}=" stands there more than once'
    if tags.get("p") is None:
        return '"p=" is missing'
    bad = [name for name in ("p", "sp", "np") if tags.get(name) is not None and not _value(tags, name)]
    return f'"{bad[0]}={tags.get(bad[0])}" is not none, quarantine or reject' if bad else ""


def _value(tags: TagList, name: str) -> str:
    value = (tags.get(name) or "").lower()
    return value if value in _POLICIES else ""


def _mode(tags: TagList, name: str) -> str:
    return "s" if (tags.get(name) or "").lower() == "s" else "r"


def _percent(tags: TagList) -> int:
    text = tags.get("pct") or ""
    valid = text.isascii() and text.isdigit() and len(text) <= 3 and int(text) <= 100
    return int(text) if valid else 100


def _walk(tree: Tree, domain: str) -> list[_Found]:
    """Collect the records that count, the longest name first, up to the one that stops the walk."""
    found = []
    for name in _ancestry(domain):
        item = _single(name, tree.get(f"_dmarc.{name}", ()))
        if item is not None:
            found.append(item)
            if item.psd in ("y", "n"):
                break
    return found


def _single(domain: str, records: tuple[str, ...]) -> _Found | None:
    """Keep a name's DMARC record; several at one name are all discarded (section 4.10)."""
    kept = [record for record in records if _is_dmarc(record)]
    return _Found(domain, kept[0], tag_list(kept[0], fold=True)) if len(kept) == 1 else None


def _is_dmarc(record: str) -> bool:
    """`v` comes first and its value is matched exactly, case and all (section 4.7)."""
    name, equals, value = record.partition(";")[0].partition("=")
    return bool(equals) and name.strip(" \t").lower() == "v" and value.strip(" \t") == "DMARC1"


def _organizational(found: list[_Found], subject: str) -> str:
    for item in found:
        if item.psd == "n":
            return item.domain
        if item.psd == "y" and item.domain != subject:
            labels = subject.split(".")
            return ".".join(labels[-(item.domain.count(".") + 2) :])
    return found[-1].domain if found else subject


def _ancestry(domain: str) -> list[str]:
    labels = _clean(domain).split(".")
    tail = labels[-(MAX_QUERIES - 1) :] if len(labels) >= MAX_QUERIES else labels[1:]
    return [".".join(labels), *(".".join(tail[start:]) for start in range(len(tail)))]


def _clean(domain: str) -> str:
    name = domain.lower().removesuffix(".")
    if not name.isascii() or not all(name.split(".")):
        raise ValueError(f"{domain!r} is not a domain in A-label form (xn--...)")
    return name
