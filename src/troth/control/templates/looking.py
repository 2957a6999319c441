"""Templates, written: how a draft looks before anybody is asked: its mail in a frame of no powers, its faults and size.

Nothing is saved and nothing is sent; what was typed is tried in a child process.
"""

from dataclasses import dataclass
from html import escape

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_POST

from troth.control.people.actor import Actor, actor_of
from troth.control.people.guard import needs
from troth.control.templates import editing, reading
from troth.control.templates.editing import Typed
from troth.mail import preview
from troth.mail.building import GMAIL_SHOWS
from troth.mail.render import Rendered
from troth.mail.trying import Seen
from troth.outside.template_child import try_in_child

_FRAMED = {"X-Frame-Options": "SAMEORIGIN", "Cache-Control": "no-store"}
_KB = 1024
WAYS = (("desktop", "Desktop"), ("phone", "Phone"), ("dark", "Dark"), ("text", "Text"), ("source", "Source"))


@dataclass(frozen=True, slots=True)
class Look:
    """What the panel beside the editor says. `size`: bytes of the finished HTML with the largest sample."""

    faults: dict[str, str]
    rendered: Rendered | None
    size: int
    sender: str
    made_text: bool

    @property
    def named(self) -> list[tuple[str, str]]:
        """Faults with their fields' labels."""
        return [(editing.LABELS.get(name, "Draft"), sentence) for name, sentence in self.faults.items()]

    @property
    def kilobytes(self) -> str:
        return f"{self.size / _KB:.1f}"

    @property
    def clipped(self) -> bool:
        return self.size > GMAIL_SHOWS


def looked_at(actor: Actor, typed: Typed) -> Look:
    seen, faults = _tried(typed)
    rendered = next((each for each in seen.rendered if each), None)
    sender = reading.sender(actor, typed["category"]) if typed["category"] else ""
    made = bool(rendered and not typed["text"].strip())
    return Look(faults, rendered, editing.sizes(seen), sender, made)


def _tried(typed: Typed) -> tuple[Seen, dict[str, str]]:
    found = editing.read(typed)
    if found.asked is None:
        return Seen(), found.faults
    seen = try_in_child(msgspec.structs.replace(found.asked, extremes=False))
    return seen, {**found.faults, **editing.faults_of(seen.problems)}


@needs("template:propose")
@require_POST
def panel(request: HttpRequest) -> HttpResponse:
    """POST /templates/panel: the checks beside the editor, for what is typed now."""
    actor = actor_of(request)
    typed = editing.typed_in(request.POST)
    return render(request, "templates/panel.html", {"look": looked_at(actor, typed)})


@needs("template:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def framed(request: HttpRequest) -> HttpResponse:
    """GET and POST /templates/preview: the mail of what is typed, as a document for the editor's frame."""
    if request.method != "POST":
        return _page("<p>Press Preview to see the mail as it would be sent.</p>", "desktop")
    typed = editing.typed_in(request.POST)
    seen, faults = _tried(typed)
    shown = request.POST.get("as", "desktop")
    if shown == "source" and seen.built is not None:
        return _page(_plain(seen.built.html or seen.built.text), "desktop")
    rendered = next((each for each in seen.rendered if each), None)
    if rendered is None:
        said = "".join(
            f"<li>{escape(editing.LABELS.get(name, name))}: {escape(hint)}</li>" for name, hint in faults.items()
        )
        return _page(f"<p>There is no mail to show yet:</p><ul>{said}</ul>", "desktop")
    if shown == "text" or rendered.html is None:
        return _page(_plain(rendered.text or ""), "desktop")
    return _page(rendered.html, shown)


def _plain(text: str) -> str:
    return f'<pre style="white-space:pre-wrap;overflow-wrap:anywhere;padding:16px;margin:0">{escape(text)}</pre>'


def _page(html: str, shown: str) -> HttpResponse:
    document, policy = preview.shown(html, dark=shown == "dark")
    return HttpResponse(document, headers={**_FRAMED, "Content-Security-Policy": policy})
