"""The command line's DNS records: lines of a zone file (RFC 1035 section 5.1), ready to copy."""

from collections.abc import Iterable

from troth.control.tenants.sending_domains import Ours, Record, strings
from troth.settings import Settings


def zone_file(records: Iterable[Record]) -> list[str]:
    """Two lines a record: what it is for, and the record."""
    return [line for record in records for line in (f"; {_why(record)}", f"{record.name}. IN {_data(record)}")]


def ours(settings: Settings) -> Ours:
    """What the settings ask of every sending domain."""
    bounces = settings.return_path_domain or ""
    return Ours(settings.spf_mechanism or "", bounces, bounces if settings.inbound_port else "")


def _why(record: Record) -> str:
    return f"advice: {record.why}" if record.advice else record.why


def _data(record: Record) -> str:
    return f"TXT {strings(record.text)}" if record.kind == "TXT" else f"{record.kind} {record.text}"
