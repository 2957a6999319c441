"""The tag=value lists that DKIM and DMARC records of a sending domain share (RFC 6376 section 3.2)."""

from dataclasses import dataclass

_SPACE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class TagList:
    """Tags in order, spaces round names and values removed; of a repeated tag `get` tells the first."""

    pairs: tuple[tuple[str, str], ...]
    faults: tuple[str, ...]  # parts without "=" or without a name

    def get(self, name: str, default: str | None = None) -> str | None:
        return next((value for tag, value in self.pairs if tag == name), default)

    @property
    def first(self) -> tuple[str, str]:
        return self.pairs[0] if self.pairs else ("", "")

    @property
    def repeated(self) -> tuple[str, ...]:
        names = [name for name, _ in self.pairs]
        return tuple(sorted({name for name in names if names.count(name) > 1}))


def tag_list(record: str, *, fold: bool = False) -> TagList:
    """Split a record; `fold` lowers the names (DMARC's are case-insensitive, DKIM's are not)."""
    pairs, faults = [], []
    for part in record.split(";"):
        name, equals, value = part.partition("=")
        name = name.strip(_SPACE)
        if equals and name:
            pairs.append((name.lower() if fold else name, value.strip(_SPACE)))
        elif part.strip(_SPACE):
            faults.append(part.strip(_SPACE))
    return TagList(tuple(pairs), tuple(faults))
