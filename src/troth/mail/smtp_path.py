"""Feedback: the path of MAIL and RCPT as a stranger's server writes it (RFC 5321 4.1.2, 4.1.1.3; RFC 6531 3.3)."""

import re

from troth.mail.smtp_mailbox import GrammarError, read_mailbox

NULL = "<>"
POSTMASTER = "postmaster"
# Path = "<" [ A-d-l ":" ] Mailbox ">"; a source route is read over (RFC 5321 4.1.1.3, appendix C)
_AT_DOMAIN = r"@[A-Za-z0-9.\[\]:-]+?"
_path_re = re.compile(
    rf"<(?:{_AT_DOMAIN}(?:,{_AT_DOMAIN})*:(?=[^>]*@))?"
    r'(?P<box>"(?:[^"\\]|\\.)*"@[^<>\s]*|[^<>"\s]*)>(?: +(?P<rest>.*))?\Z',
    re.DOTALL,
)


def read_path(text: str) -> tuple[str, str]:
    """The mailbox (its domain in A-labels), NULL, or POSTMASTER, and the parameters; raises GrammarError."""
    found = _path_re.match(text)
    if found is None:
        raise GrammarError("path", "A path stands in angle brackets, as in <name@example.com>.")
    box, rest = found["box"], found["rest"] or ""
    if not box:
        return NULL, rest
    if box.lower() == POSTMASTER:
        return POSTMASTER, rest
    mailbox = read_mailbox(box)
    return f"{mailbox.local}@{mailbox.domain}", rest
