"""Around the house: what a setting's value may be. Pure. A kind reads text (the environment) or a TOML value.

A reader raises ValueError without words; `allowed` holds the words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import NamedTuple

type Network = IPv4Network | IPv6Network
type Given = object  # text from the environment, any TOML value from the file


@dataclass(frozen=True, slots=True)
class Kind[T]:
    """`read(given, base)` turns what was given into a value; `base` is the folder that relative paths start at."""

    allowed: str
    read: Callable[[Given, Path], T]


class HostPort(NamedTuple):
    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*", re.IGNORECASE | re.ASCII)
_BRACKETED = re.compile(r"\[([0-9a-f:.]+)\](?::(\d{1,5}))?", re.IGNORECASE | re.ASCII)
_PLAIN = re.compile(r"([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?")
_HTTP = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", re.IGNORECASE | re.ASCII)
_POSTGRES = re.compile(r"postgres(?:ql)?://[^\s/]*(?:/[^\s]*)?")
_SPF = re.compile(r"(?:(?:include|exists|redirect|ip4|ip6|a|mx)[:=/]\S+|a|mx)")
_TOPIC = re.compile(r"arn:aws(?:-cn|-us-gov)?:sns:[a-z]{2}(?:-[a-z]{2,12}){1,3}-[1-9]:[0-9]{6,12}:[A-Za-z0-9_-]{1,256}")
_YES, _NO = {"true", "yes", "on", "1"}, {"false", "no", "off", "0"}


def _text(given: Given, _base: Path) -> str:
    if not isinstance(given, str) or not given or any(ord(sign) < 32 or ord(sign) == 127 for sign in given):
        raise ValueError
    return given


def _matching(pattern: re.Pattern[str]) -> Callable[[Given, Path], str]:
    def read(given: Given, base: Path) -> str:
        text = _text(given, base)
        if not pattern.fullmatch(text):
            raise ValueError
        return text

    return read


def whole(low: int, high: int) -> Kind[int]:
    """A whole number within two bounds, both allowed."""

    def read(given: Given, _base: Path) -> int:
        if isinstance(given, str) and re.fullmatch(r"[0-9]{1,18}", given):
            given = int(given)
        if type(given) is not int or not low <= given <= high:  # not bool, which is an int in Python
            raise ValueError
        return given

    return Kind(f"a whole number from {low} to {high}", read)


def choice(*words: str) -> Kind[str]:
    def read(given: Given, _base: Path) -> str:
        if not isinstance(given, str) or given not in words:
            raise ValueError
        return given

    return Kind("one of " + ", ".join(f"'{word}'" for word in words), read)


def _flag(given: Given, _base: Path) -> bool:
    if isinstance(given, bool):
        return given
    word = given.lower() if isinstance(given, str) else ""
    if word not in _YES | _NO:
        raise ValueError
    return word in _YES


def _path(given: Given, base: Path) -> Path:
    try:
        return base / Path(_text(given, base)).expanduser()
    except RuntimeError:  # ~nobody-here
        raise ValueError from None


def _url(given: Given, base: Path) -> str:
    return _matching(_HTTP)(given, base).rstrip("/")


def _items(given: Given, base: Path) -> list[str]:
    if isinstance(given, str):
        return [item.strip() for item in given.split(",") if item.strip()]
    if isinstance(given, list):
        return [_text(item, base) for item in given]
    raise ValueError


def _names(given: Given, base: Path) -> tuple[str, ...]:
    return tuple(_items(given, base))


def _addresses(given: Given, base: Path) -> tuple[HostPort, ...]:
    return tuple(_host_port(item) for item in _items(given, base))


def _networks(given: Given, base: Path) -> tuple[Network, ...]:
    return tuple(ip_network(item) for item in _items(given, base))  # its ValueError is a reader's


def _ip_addresses(given: Given, base: Path) -> tuple[str, ...]:
    return tuple(str(ip_address(item)) for item in _items(given, base))  # as above


def _host_port(text: str) -> HostPort:
    found = _BRACKETED.fullmatch(text) or _PLAIN.fullmatch(text)
    port = int(found[2] or 53) if found else 0
    if not found or not 1 <= port <= 65_535:
        raise ValueError
    return HostPort(found[1], port)


def _topics(given: Given, base: Path) -> tuple[str, ...]:
    found = tuple(_items(given, base))
    if not all(_TOPIC.fullmatch(each) for each in found):
        raise ValueError
    return found


WORD = Kind("at most 64 letters, digits, - and _", _matching(re.compile(r"[A-Za-z0-9_-]{1,64}")))
TEXT = Kind("text without control characters", _text)
FLAG = Kind("true or false", _flag)
PATH = Kind("a path; a relative one starts at the file's folder, or at the current one", _path)
DOMAIN = Kind("a domain name such as mail.example", _matching(_DOMAIN))
HOST = Kind("a host name or an address", _matching(re.compile(r"[A-Za-z0-9_.:-]+")))
URL = Kind("an address such as https://mail.example", _url)
DATABASE = Kind("an address such as postgresql://user@host:5432/name", _matching(_POSTGRES))
CELL = Kind("one letter of a-z", _matching(re.compile(r"[a-z]")))
SPF = Kind("an SPF mechanism such as include:spf.example", _matching(_SPF))
NAMES = Kind("a list of names (separated by commas in the environment)", _names)
ADDRESSES_IP = Kind("a list of IP addresses such as 192.0.2.1 (separated by commas in the environment)", _ip_addresses)
NETWORKS = Kind("a list of networks such as 127.0.0.0/8 (separated by commas in the environment)", _networks)
ADDRESSES = Kind("a list of host:port (separated by commas in the environment)", _addresses)
TOPICS = Kind("a list of ARNs such as arn:aws:sns:eu-west-1:123456789012:mail", _topics)
PORT = whole(1, 65_535)
