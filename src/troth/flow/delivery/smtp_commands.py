"""Delivery's commands: what an envelope becomes for a server that offers these extensions, or why it is not said.

SIZE RFC 1870, 8BITMIME RFC 6152.
"""

from troth.flow.delivery.smtp_reply import Reply
from troth.flow.delivery.smtp_states import Want
from troth.flow.delivery.smtp_types import Envelope, envelope_fault


def extensions(reply: Reply) -> dict[str, tuple[str, ...]]:
    """EHLO keyword -> parameters. The old form AUTH=PLAIN counts as AUTH."""
    found: dict[str, tuple[str, ...]] = {}
    for line in reply.lines[1:]:
        words = line.replace("=", " ", 1).split() if line[:5].upper() == "AUTH=" else line.split()
        if words:
            found[words[0].upper()] = found.get(words[0].upper(), ()) + tuple(words[1:])
    return found


def local_refusal(envelope: Envelope, offered: dict[str, tuple[str, ...]]) -> tuple[str, str] | None:
    """(enhanced status code, sentence) when this envelope must not be said to this server."""
    if fault := envelope_fault(envelope):
        return "5.6.0", fault
    size = offered.get("SIZE", ())[:1]
    if size and size[0].isdecimal() and 0 < int(size[0]) < envelope.size:
        return "5.3.4", f"The message has {envelope.size} octets; the next hop takes at most {int(size[0])}."
    if "8BITMIME" not in offered and not envelope.data.isascii():
        return "5.6.3", "The message has 8-bit octets and the next hop does not offer 8BITMIME."
    return None


def commands(envelope: Envelope, offered: dict[str, tuple[str, ...]]) -> tuple[tuple[Want, bytes], ...]:
    size = b" SIZE=%d" % envelope.size if "SIZE" in offered else b""
    body = b" BODY=8BITMIME" if "8BITMIME" in offered and not envelope.data.isascii() else b""
    return (
        (Want.MAIL, b"MAIL FROM:<%b>%b%b\r\n" % (envelope.reverse_path, size, body)),
        (Want.RCPT, b"RCPT TO:<%b>\r\n" % envelope.forward_path),
        (Want.DATA, b"DATA\r\n"),
    )
