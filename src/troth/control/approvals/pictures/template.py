"""Four eyes, the picture of a template: two mails beside each other as recipients see them, then the source."""

import json
from collections.abc import Mapping
from html import escape
from typing import Any

from troth.control.approvals.pictures.picture import Picture, told
from troth.control.approvals.reading import Seen
from troth.control.people.actor import Actor
from troth.mail.render import Compiled, Rendered, RenderError, RenderLimits, TemplateSource
from troth.mail.samples import typical

SIDES = ("before", "after")
_PARTS = ("category", "subject", "targeting")


def picture(actor: Actor, seen: Seen) -> Picture:
    del actor
    if seen.artefact.get("retired"):
        says, then = "The template is retired: no mail of it is accepted any more.", "What was accepted before goes on."
    else:
        says = "Every new mail of this template reads as on the right." if seen.before else "A new template."
        then = "From then on programs that name this template send the new text; messages already accepted keep theirs."
    parts = [part(name, seen.before or {}, seen.artefact) for name in _PARTS]
    pair = [(seen.before, "before"), (seen.artefact, "after")]
    more = {
        "sides": [side(each, name, seen) for each, name in pair if each],
        "parts": [each for each in parts if each[1] != each[2]],
        "sources": [each for each in _sources(seen.before or {}, seen.artefact) if each[1] != each[2]],
    }
    return Picture(says, then, template="approvals/pictures/template.html", more=more)


def side(artefact: Mapping[str, Any], name: str, seen: Seen) -> dict[str, Any]:
    """One of the two frames: its subject line with sample values, its size, and its words where it has no HTML."""
    rendered = drawn(artefact)
    number = (seen.version or 0) + (0 if name == "before" else 1)
    live = seen.open and name == "before"
    said = f"Version {number}{', in force now' if live else ', proposed' if name == 'after' and seen.open else ''}"
    length = len((rendered.html or rendered.text or "").encode())
    return {
        "name": name,
        "title": said,
        "state": "in force" if name == "before" else "proposed",
        "subject": rendered.subject,
        "html": rendered.html is not None,
        "text": rendered.text or "",
        "size": f"{length / 1024:.1f}\N{NO-BREAK SPACE}KB" if length >= 100 else f"{length} bytes",
    }


def drawn(artefact: Mapping[str, Any]) -> Rendered:
    """With its first sample, or values made from its schema; it was rendered in a child before it was proposed."""
    source = TemplateSource(artefact["subject"], artefact.get("html"), artefact.get("text"))
    try:
        samples = artefact.get("samples") or [typical(artefact.get("schema") or {})]
        return Compiled(source).render(samples[0], RenderLimits())
    except (RenderError, KeyError, TypeError, ValueError) as trouble:
        said = escape(getattr(trouble, "hint", "") or "The values that go with it do not fit.")
        return Rendered(source.subject, source.html and f"<p>{said}</p>", source.text)


def part(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, str, str, str]:
    return name.capitalize(), told(before.get(name)), told(after.get(name)), ""


def _sources(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What somebody wrote, line by line: (name, old, new)."""
    old, new = _written(before), _written(after)
    return [(name, old.get(name, ""), new.get(name, "")) for name in dict.fromkeys([*new, *old])]


def _written(artefact: Mapping[str, Any]) -> dict[str, str]:
    if not artefact:
        return {}
    source = artefact.get("source")
    found = {"Variables": json.dumps(artefact.get("schema") or {}, indent=2, ensure_ascii=False, sort_keys=True)}
    if source:
        kind = {"mjml": "MJML", "html": "HTML", "text": "Text"}.get(source.get("kind", ""), "Source")
        layout = (source.get("layout") or {}).get("body", "")
        return {kind: source.get("body", ""), "Preheader": source.get("preheader", ""), "Text": source.get("text", ""),
                "Layout": layout, **found}  # fmt: skip
    return {"HTML": artefact.get("html") or "", "Text": artefact.get("text") or "", **found}
