"""Delivery: the last step before the socket: signature, header and body as one, and dots made transparent."""

from troth.mail.bodies import dotted, paired
from troth.mail.mime import Assembled


class WireError(RuntimeError):
    """Bytes that a server could read as more than one message; never sent."""


def wire(signature_line: bytes, assembled: Assembled) -> bytes:
    """The whole message. signature_line: one or more whole header lines with their CRLF, or nothing."""
    if signature_line and not signature_line.endswith(b"\r\n"):
        raise WireError("The signature line does not end with CRLF.")
    head = b"".join([b"%s: %s\r\n" % header for header in assembled.headers])
    return b"%s%s\r\n%s" % (signature_line, head, assembled.body)


def dot_stuff(data: bytes) -> bytes:
    """RFC 5321 4.5.2, without the final dot line; refuses bare CR and LF, which is how messages are smuggled."""
    if not paired(data) or not data.endswith(b"\r\n"):
        raise WireError("A CR or LF stands alone, or the last line has no CRLF.")
    if dotted(data):
        data = data.replace(b"\r\n.", b"\r\n..")
    return b"." + data if data.startswith(b".") else data
