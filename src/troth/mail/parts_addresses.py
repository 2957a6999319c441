"""Feedback: the addresses that a stranger's field holds, however it is written (RFC 5322 3.4, and worse)."""

import re

_TEXT = 65_536  # characters of a value that are looked at
# Each token takes all it can and never looks back, so that time is linear.
_token_re = re.compile(
    r'(?P<quoted>"(?:[^"\\]|\\.)*"?)|(?P<angle><[^<>]*>)|(?P<comment>\([^()]*\)?)|(?P<end>[,;\r\n])|(?P<rest>[^"<(,;\r\n]+|<)',
    re.DOTALL,
)
# Begins only where a word does: no end is looked for twice.
_plain_re = re.compile(r"(?<![^\s@<>()\[\]:;,\"])[^\s@<>()\[\]:;,\"]+@(?:[^\s@<>()\[\]:;,\"]+|\[[^\s\[\]]{1,100}\])")
_scheme_re = re.compile(r"(?:mailto|smtp|rfc822|x-?notes)[:;]\s*", re.IGNORECASE)
_quoted_local_re = re.compile(r'"(?:[^"\\]|\\.){1,200}"@[^\s@<>()\[\]:;,"]+')


def addresses(value: str) -> tuple[str, ...]:
    """The addr-specs of a mailbox list, in order, each once; an address in angle brackets before one outside."""
    found: dict[str, None] = {}
    angle, plain = "", list[str]()
    for token in _token_re.finditer(value[:_TEXT]):
        if token["angle"]:
            angle = angle or _spec(token["angle"].strip("<>"))
        elif token["end"]:
            found.update(dict.fromkeys([angle] if angle else _in_text("".join(plain))))
            angle, plain = "", []
        elif not token["comment"]:
            plain.append(token[0])
    found.update(dict.fromkeys([angle] if angle else _in_text("".join(plain))))
    return tuple(found)


def _spec(text: str) -> str:
    """What angle brackets hold, without a scheme and a source route (RFC 5322 4.4); "" for no address."""
    plain = _scheme_re.sub("", text.strip(), count=1)
    if plain.startswith("@"):
        plain = plain.partition(":")[2]
    if _quoted_local_re.fullmatch(plain):
        return plain
    found = _plain_re.search(plain)
    return _trimmed(found[0]) if found else ""


def _in_text(text: str) -> list[str]:
    quoted = _quoted_local_re.findall(text)
    rest = _quoted_local_re.sub(" ", text) if quoted else text
    return [*quoted, *(_trimmed(each) for each in _plain_re.findall(rest))]


def _trimmed(text: str) -> str:
    """Without a sentence's end and the quotes that some put around an address."""
    return text.rstrip(".").strip("'")
