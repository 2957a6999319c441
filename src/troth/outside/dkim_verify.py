"""The house's check of a stranger's DKIM signatures (RFC 6376, RFC 8301): dkimpy, with our own DNS and our own bounds.

More is asked than a signature that verifies, because a report acts on what it says: no part of the body left out (l=),
each From, Content-Type and Content-Transfer-Encoding field signed, so that the octets cannot be read another way.
"""

import asyncio
import logging
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import dkim
from publicsuffixlist import PublicSuffixList

from troth.mail.dkim import relaxed_body
from troth.mail.parts import Part
from troth.outside.dns import LookupFailed, Outcome, Resolver

MIN_BITS = 1_024  # RFC 8301 3.2: shorter ones are no signature at all
_LISTED, _MOST = 50, 5  # signatures of one letter: whose names are read, and which are looked at, from the top
_VALUE = 4_096  # octets of a signature field
_RECORD = 2_048  # characters of a key record: an RSA key of 8,192 bits
_LINES = 200_000  # of a letter: dkimpy makes an object of each
_AT_ONCE = 4
_FUTURE = 36_000  # seconds: clocks differ
_WHOLE = ("from", "content-type", "content-transfer-encoding")
_BROKEN = frozenset({"no-field", "no-empty-line", "long-header"})

_tag_re = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*=([^;]*)")
_blanks_re = re.compile(r"\s{64}")
_name_re = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*\Z")
_number_re = re.compile(r"[0-9]{1,12}\Z")
_silent = logging.Logger("troth.dkimpy", logging.CRITICAL + 1)  # noqa: LOG001 - not of the tree: it would tell addresses


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature, looked at. why: "" for one that holds, else a closed word: malformed, algorithm, expired, future,
    partial-body, from-unsigned, mime-unsigned, too-large, no-key, revoked, testing, weak, no-answer, bad. signed: the
    names in h=, in lower case, as often as they stand there; at: t=, in seconds, if it says when; both of one that was
    looked at to its end.
    """

    domain: str
    selector: str
    why: str = ""
    signed: tuple[str, ...] = ()
    at: int | None = None

    @property
    def holds(self) -> bool:
        return not self.why

    def covers(self, part: Part, name: str) -> bool:
        """Whether every such field of the letter is signed: one that was added above the signed one is not."""
        return self.signed.count(name) >= len(part.all(name))

    @property
    def temporary(self) -> bool:
        """The DNS could not say: the same letter may hold later."""
        return self.why == "no-answer"


class Verifier:
    """Looks at letters; `seconds` is all the time that one may take."""

    def __init__(self, resolver: Resolver, seconds: float = 15.0) -> None:
        self._resolver = resolver
        self._seconds = seconds
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def verify(
        self, octets: bytes, part: Part, now: datetime, wanted: Callable[[str], bool] = bool
    ) -> tuple[Signature, ...]:
        """The signatures of a letter by domains that are wanted, as far as they are looked at: a stranger has us ask
        the DNS for nobody else's key. part: the same octets, read.
        """
        found = [(n, _tags(value)) for n, value in enumerate(part.all("dkim-signature")[:_LISTED])]
        signed = [(n, tags) for n, tags in found if wanted(tags.get("d", "").lower())][:_MOST]
        tags = [each for _, each in signed]
        if octets.count(b"\n") > _LINES:
            return tuple(Signature(each.get("d", ""), each.get("s", ""), "too-large") for each in tags)
        try:
            async with asyncio.timeout(self._seconds), self._room:
                return tuple([await self._one(octets, part, n, each, now) for n, each in signed])
        except TimeoutError:
            return tuple(Signature(each.get("d", ""), each.get("s", ""), "no-answer") for each in tags)

    async def _one(self, octets: bytes, part: Part, number: int, tags: dict[str, str], now: datetime) -> Signature:
        domain, selector = tags.get("d", "").lower(), tags.get("s", "").lower()
        why = _wrong(tags, part, now)
        if why:
            return Signature(domain, selector, why)
        found = await self._resolver.txt(f"{selector}._domainkey.{domain}")
        if isinstance(found, LookupFailed):
            return Signature(domain, selector, "no-answer")
        why, record = _key(found.values if found.outcome is Outcome.FOUND else (), tags)
        if not why:
            relaxed = tags.get("c", "").endswith("/relaxed")
            why = await asyncio.to_thread(_checked, octets, number, record, relaxed=relaxed)
        at = int(tags["t"]) if "t" in tags else None
        return Signature(domain, selector, why, tuple(tags["h"].lower().split(":")), at)


def aligned(domain: str, enrolled: str) -> bool:
    """Whether a signature's d= stands for an enrolled domain: the same, or its organisational domain."""
    signed, wanted = domain.lower().rstrip("."), enrolled.lower().rstrip(".")
    return bool(signed) and (signed == wanted or signed == _suffixes().privatesuffix(wanted))


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList(only_icann=False)


# ---- what is wrong with a signature before its key is asked for


def _tags(value: str) -> dict[str, str]:
    """A tag list; {} for what is none, or says a tag twice (RFC 6376 3.2)."""
    if len(value) > _VALUE or _blanks_re.search(value) or not value.isascii():
        return {}
    tags: dict[str, str] = {}
    for piece in value.split(";"):
        found = _tag_re.fullmatch(piece)
        if found is None and piece.strip():
            return {}
        if found is not None:
            if found[1] in tags:
                return {}
            tags[found[1]] = "".join(found[2].split())
    return tags


def _wrong(tags: dict[str, str], part: Part, now: datetime) -> str:
    needed = all(tags.get(name) for name in ("v", "a", "b", "bh", "d", "h", "s"))
    if not needed or tags["v"] != "1" or _BROKEN & set(part.broken):
        return "malformed"
    if not _name_re.match(tags["d"].lower()) or not _name_re.match(tags["s"].lower()):
        return "malformed"
    if tags["a"].lower() != "rsa-sha256":
        return "algorithm"
    if "l" in tags:
        return "partial-body"
    return _when(tags, now) or _uncovered(tags["h"].lower().split(":"), part)


def _when(tags: dict[str, str], now: datetime) -> str:
    for name in ("t", "x"):
        if name in tags and not _number_re.match(tags[name]):
            return "malformed"
    if "x" in tags and int(tags["x"]) <= now.timestamp():
        return "expired"
    return "future" if "t" in tags and int(tags["t"]) > now.timestamp() + _FUTURE else ""


def _uncovered(signed: Sequence[str], part: Part) -> str:
    """Each such field of the letter is signed, however often it stands there; and it says once who it is from."""
    if len(part.all("from")) != 1 or "from" not in signed:
        return "from-unsigned"
    whole = all(signed.count(name) >= len(part.all(name)) for name in _WHOLE)
    return "" if whole and len(part.all("content-type")) <= 1 else "mime-unsigned"


# ---- its key, and the signature itself


def _key(records: Sequence[str], tags: dict[str, str]) -> tuple[str, str]:
    """(what is wrong, the record)."""
    keys = [record for record in records if "p" in _tags(record)]
    if len(keys) != 1 or len(keys[0]) > _RECORD:
        return "no-key", ""
    key = _tags(keys[0])
    flags, services, hashes = (key.get(name, "").lower().split(":") for name in ("t", "s", "h"))
    if not key["p"]:
        return "revoked", ""
    if "y" in flags:
        return "testing", ""  # RFC 6376 3.6.1: to be treated as if there were no signature
    strict = "s" in flags and tags.get("i", f"@{tags['d']}").lower().rpartition("@")[2] != tags["d"].lower()
    wrong = strict or not {"", "*", "email"} & set(services) or not {"", "sha256"} & set(hashes)
    return ("no-key", "") if wrong else ("", keys[0])


def _checked(octets: bytes, number: int, record: str, *, relaxed: bool) -> str:
    """What dkimpy says. The body is brought into its canonical form before, in linear time, which is then the same."""
    header, end, body = octets.partition(b"\r\n\r\n")
    if body.endswith(b"\r\n\r\n"):
        body = body.rstrip(b"\r\n") + b"\r\n"
    letter = header + end + (relaxed_body(body) if relaxed else body)
    try:
        looked_at = dkim.DKIM(letter, logger=_silent, minkey=MIN_BITS)
        return "" if looked_at.verify(number, dnsfunc=lambda _name, **_: record.encode()) else "bad"
    except dkim.KeyFormatError as wrong:
        return "weak" if "small" in str(wrong) else "no-key"
    except Exception:  # noqa: BLE001 - a stranger's octets make dkimpy raise what it does not name
        return "bad"
