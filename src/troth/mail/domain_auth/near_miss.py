"""What somebody meant to publish for a sending domain, where the gate finds nothing or nonsense: quotes pasted, a
record cut into several, a name that the DNS panel doubled, a record at another name.

Pure: a verdict and the records behind it in, the same verdict with a sentence nearer to the mistake out.
"""

import re
from collections.abc import Mapping

from troth.mail.domain_auth.finding import Finding

_QUOTES = "\"'“”„‘’«»`"
_START = {"spf": "v=spf1", "dkim": "v=DKIM1", "dmarc": "v=DMARC1"}
_WHAT = {"spf": "SPF record", "dkim": "DKIM key record", "dmarc": "DMARC record"}
_CURLED = re.compile(r"\\xe2\\x80\\x9[89a-f]|\\xc2\\xa[b]|\\xc2\\xbb")  # quotation marks as the DNS window shows them
_SOME = 16  # characters of a key by which it is known
_RUN_TOGETHER = re.compile(r"\S[a-z0-9](?:include:|ip[46]:|exists:|redirect=|[~-]all\b)", re.IGNORECASE)
_MUST_BE_THERE = frozenset({"spf.missing", "spf.syntax", "dkim.missing", "dkim.syntax", "dkim.version", "dkim.no_key",
                            "dkim.key", "dmarc.missing", "dmarc.invalid"})  # fmt: skip


def elsewhere(domain: str, name: str) -> tuple[str, ...]:
    """Where a record meant for `name` ends up when the panel adds the zone by itself, or somebody forgot the label."""
    labels = domain.split(".")
    zones = tuple(".".join(labels[start:]) for start in range(len(labels) - 1))
    above = name.removesuffix(f".{domain}")
    short = (f"{above.removesuffix('._domainkey')}.{domain}",) if above.endswith("._domainkey") else ()
    return (*(f"{name}.{zone}" for zone in zones[:3]), *short, *((domain,) if above == "_dmarc" else ()))


def nearer(kind: str, finding: Finding, records: tuple[str, ...], at: str, ours: str = "") -> Finding:
    """`kind`: spf, dkim, dmarc; `records`: all TXT records at the name; `ours`: the key that was to be published."""
    if finding.ok:
        return finding
    if kind == "dkim" and (cut := _cut(finding, records, at, ours)):
        return cut
    if finding.code in _MUST_BE_THERE:
        for record in records:
            if (said := _said(kind, record, at)) is not None:
                return said
    return finding


def _said(kind: str, record: str, at: str) -> Finding | None:
    what, start = _WHAT[kind], _START[kind]
    shown, record = record, _CURLED.sub('"', record)
    bare = record.strip().strip(_QUOTES).strip()
    head = bare.partition(";" if kind != "spf" else " ")[0]
    if "".join(head.split()).lower()[: len(start)] != start.lower():
        return None
    rest = bare[len(start) :]
    faults = (
        ("quotes", any(mark in record for mark in _QUOTES),
         f"Remove the quotation marks from the text of the {what} at {at}: they became part of it."),
        ("space", kind == "spf" and record != bare,
         f"Remove the space before or behind the text of the {what} at {at}."),
        ("case", kind != "spf" and bare[: len(start)].lower() == start.lower() and not bare.startswith(start),
         f'Write "{start}" in capital letters, exactly so, at the start of the {what} at {at}.'),
        ("separator", kind != "spf" and bare.startswith(start) and rest.lstrip()[:1] not in ("", ";"),
         f'Put ";" between the parts of the {what} at {at}: the first is "{start};".'),
        ("separator", kind == "spf" and bare[: len(start)].lower() == start and rest[:1] not in ("", " "),
         f'Put a space behind "v=spf1" in the SPF record at {at}, and between its terms; no ";" or ",".'),
        ("joined", kind == "spf" and bool(_RUN_TOGETHER.search(rest)),
         f"Put a space between the terms of the SPF record at {at}, also where its text is split into strings."),
    )  # fmt: skip
    return next((Finding(False, f"{kind}.{code}", told, (shown,)) for code, true, told in faults if true), None)


def _cut(finding: Finding, records: tuple[str, ...], at: str, ours: str) -> Finding | None:
    """A key of 2048 bits is longer than one string of a TXT record: the usual places where it breaks."""
    bare = ["".join(record.strip().strip(_QUOTES).split()) for record in records]
    pieces = [each.partition("p=")[2] if "p=" in each else each for each in bare]
    if finding.code == "dkim.several" and all(_piece(each, ours) for each in pieces) and set(pieces) != {ours}:
        sentence = (
            f"Publish the key at {at} as one TXT record of several strings: its pieces stand there as {len(records)} "
            "records."
        )
        return Finding(False, "dkim.pieces", sentence, records)
    published = pieces[0].rstrip(";") if len(pieces) == 1 else ""
    wrong = finding.code in ("dkim.key", "dkim.other_key") and _SOME < len(published) < len(ours)
    if wrong and ours.startswith(published.rstrip("=")):
        sentence = (
            f"Publish the whole key at {at}: only the first {len(published)} of its {len(ours)} characters are "
            "there. Where the form takes 255 at most, give the text as several strings of one record."
        )
        return Finding(False, "dkim.truncated", sentence, records)
    return None


def _piece(text: str, ours: str) -> bool:
    """A part of our key, or the tags before it."""
    return bool(text) and (text in ours or text.lower().startswith("v=dkim1"))


def misplaced(kind: str, found: Mapping[str, tuple[str, ...]], at: str) -> Finding | None:
    """`found`: names of `elsewhere` with their TXT records. None: it is at none of them."""
    for name, records in found.items():
        mine = tuple(each for each in records if each.strip(_QUOTES + " ").lower().startswith(_START[kind].lower()))
        if mine and name.startswith(f"{at}."):
            sentence = (
                f"Move the {_WHAT[kind]} from {name} to {at}: your DNS panel adds the domain by itself, so enter the "
                "name without it."
            )
            return Finding(False, f"{kind}.doubled_name", sentence, mine)
        if mine:
            sentence = f"Move the {_WHAT[kind]} from {name} to {at}: receivers look for it there alone."
            return Finding(False, f"{kind}.misplaced", sentence, mine)
    return None


def at_alias(kind: str, finding: Finding, at: str, target: str) -> Finding:
    """A CNAME stood at the name: what was read came from its target."""
    if kind == "spf":
        sentence = (
            f"Remove the CNAME at {at}, which leads to {target}: beside it no other record counts. Then publish the "
            "SPF record at the name itself."
        )
        return Finding(False, "spf.cname", sentence, (f"{at} CNAME {target}",))
    sentence = f"{finding.sentence} There is a CNAME at {at}, which leads to {target}: correct it, or remove it first."
    return Finding(False, finding.code, sentence, (*finding.saw, f"{at} CNAME {target}"))
