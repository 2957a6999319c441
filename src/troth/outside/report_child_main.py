"""Feedback: runs in the child of report_child: parsedmarc on broken XML, without network, DNS or its address database.

Standard input: XML as UTF-8. Standard output: parsedmarc's report as JSON, or nothing where it cannot be recovered.
"""

import json
import sys
from typing import Any

_NEVER = ("socket.connect", "socket.getaddrinfo", "socket.bind", "subprocess.Popen", "os.system", "os.exec", "os.fork")


def _forbid(event: str, given: tuple[Any, ...]) -> None:
    """An audit hook, which nothing takes off again."""
    if event in _NEVER:
        raise PermissionError(f"A report asks for {event} {given[:1]}.")


class _NoLookup(dict[str, Any]):
    """parsedmarc's memory of addresses, which knows every one: so it looks none up, not even in its own files."""

    def get(self, key: str, default: Any = None) -> Any:
        del default
        return {"ip_address": key}


def main() -> None:
    """Once. What parsedmarc cannot read is an answer too: none."""
    sys.addaudithook(_forbid)
    import parsedmarc  # type: ignore[import-untyped]  # it has none; after the hook, never in a process of ours
    from parsedmarc.config import ParserConfig  # type: ignore[import-untyped]  # as above

    # A report of more than a day stays one: the threshold is in hours.
    config = ParserConfig(offline=True, normalize_timespan_threshold_hours=1e9, ip_address_cache=_NoLookup())
    try:
        found = parsedmarc.parse_aggregate_report_xml(sys.stdin.buffer.read(), config=config)
    except parsedmarc.ParserError:
        return
    sys.stdout.write(json.dumps(found))
