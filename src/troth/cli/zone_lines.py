"""The command line's DNS records: lines of a zone file (RFC 1035 section 5.1), ready to copy."""

from collections.abc import Iterable

from troth.control.tenants.sending_domains import Record

_STRING = 250  # octets; a character-string holds 255


def zone_file(records: Iterable[Record]) -> list[str]:
    """Two lines a record: what it is for, and the record."""
    return [
        line for record in records for line in (f"; {record.why}", f"{record.name}. IN TXT {_strings(record.text)}")
    ]


def _strings(text: str) -> str:
    parts = [text[n : n + _STRING] for n in range(0, len(text), _STRING)]
    return " ".join(f'"{part}"' for part in parts)
