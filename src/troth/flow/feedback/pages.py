"""Feedback: the few pages that a recipient sees: HTML without script, style by one file, a tight policy."""

from datetime import datetime
from html import escape
from importlib import resources

from starlette.responses import HTMLResponse, Response

from troth.mail.footer import WHY
from troth.store.own import StoppedRow

STYLE_PATH = "/assets/letter.css"
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "interest-cohort=()",
    "referrer-policy": "no-referrer",  # the address is the key
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}
WORDING = "Stop these emails"  # what the button says
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{style}">
</head>
<body>
<header><p>{client}</p></header>
<main>
<h1>{title}</h1>
{content}
</main>
</body>
</html>
"""


def page(title: str, content: str, *, client: str = "", status: int = 200) -> Response:
    """`title` and `client` are text; `content` is HTML made below."""
    shown = escape(client) if client else "Email preferences"
    body = _PAGE.format(title=escape(title), style=STYLE_PATH, client=shown, content=content)
    return HTMLResponse(body, status, _HEADERS)


def ask(client: str, category: str, scope: str) -> Response:
    """The question; opening it changes nothing."""
    return page(
        _title(client, category, scope),
        f"<p>{_consequence(client, category, scope)}</p>\n"
        '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click">'
        '<button type="submit">Stop these emails</button></form>\n'
        '<p class="quiet">Opening this page changed nothing; only the button does. The link in your email is yours: '
        "whoever has it can press the button, so do not pass it on.</p>",
        client=client,
    )


def _title(client: str, category: str, scope: str) -> str:
    return f"Stop email from {client}?" if scope == "all" else f"Stop “{category}” from {client}?"


def _consequence(client: str, category: str, scope: str) -> str:
    if scope == "all":
        return "Nothing more will be sent to your address by this service, for this sender or any other."
    return (
        f"You will get no more email of the kind <b>{escape(category)}</b> from <b>{escape(client)}</b>. "
        "Other kinds still reach you; each has a link of its own."
    )


def done(client: str, category: str, scope: str) -> Response:
    what = "email to your address" if scope == "all" else f"the kind <b>{escape(category)}</b>"
    return page(
        "You have been unsubscribed",
        f'<p class="sealed">We have stopped {what}. This holds from now on, for mail that is waiting too.</p>\n'
        "<p>There is nothing more to do. This page may be closed.</p>",
        client=client,
    )


def stopped(client: str, category: str, scope: str, since: StoppedRow) -> Response:
    """Asked for before. It leads to no page of the recipient's own: every hop has seen this address."""
    what = "email to your address" if scope == "all" else f"the kind <b>{escape(category)}</b> from {escape(client)}"
    who = "It was stopped" if since.imported else "You stopped it"
    back = (
        "That cannot be taken back here."
        if scope == "all"
        else f"Your own page can switch it on again: the link “{WHY}” under the email opens it."
    )
    return page(
        "This is stopped already",
        f'<p class="sealed">{who} on {when(since.created_at)}: {what} is not sent any more.</p>\n<p>{back}</p>',
        client=client,
    )


def erased() -> Response:
    """Whose name and mail are gone: nothing of what the link was about."""
    told = "You were erased: what was held about you can be read by nobody any more, and its sender sends you nothing."
    return page("You were erased", f'<p class="sealed">{told}</p>\n<p>This page may be closed.</p>')


def when(moment: datetime | None) -> str:
    if moment is None:
        return "a day that is not on record"
    return f'<time datetime="{moment:%Y-%m-%dT%H:%M:%SZ}">{moment.day} {moment:%B %Y, %H:%M} UTC</time>'


def not_obeyed(status: int) -> Response:
    """One page for forged, expired and outlived links: it says nothing about which."""
    return page(
        "This link no longer works",
        "<p>Nothing was changed. Links in email stop working some time after it was sent, or when they are cut off "
        "on their way.</p>\n<p>Use the link in a newer email, or answer the email and ask its sender to stop.</p>",
        status=status,
    )


def not_understood() -> Response:
    return page(
        "Nothing was changed",
        "<p>The request did not say what to do. Open the link from your email and press the button there.</p>",
        status=400,
    )


def away() -> Response:
    answer = page(
        "We cannot do this just now",
        "<p>Nothing was changed, since our records cannot be reached. Open the link again in a few minutes.</p>",
        status=503,
    )
    answer.headers["retry-after"] = "60"
    return answer


def style() -> Response:
    """The style sheet."""
    text = (resources.files("troth.flow.feedback") / "assets" / "letter.css").read_bytes()
    headers = {"cache-control": "public, max-age=3600", "x-content-type-options": "nosniff"}
    return Response(text, 200, headers, "text/css")
