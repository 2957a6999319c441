"""Before the demo's river: the template packs, read from their files into the artefacts that are proposed.

A pack is HTML and text as they are sent (body.html, body.txt), or MJML as a person writes it (body.mjml), from which
both are made as the editor makes them. Where template.toml has a [letter], body.html is what goes into the letter.html
beside the packs, at its [[marks]].
"""

import tomllib
from pathlib import Path
from typing import Any

from troth.mail.building import Source, build

FOLDER = Path(__file__).with_name("packs")


def names() -> list[str]:
    """Every pack's name."""
    return sorted(str(path.parent.relative_to(FOLDER)) for path in FOLDER.glob("*/*/template.toml"))


def template(pack: str) -> tuple[str, dict[str, Any]]:
    """The code and artefact of a pack such as `property/rent-reminder`."""
    folder = FOLDER / pack
    about = tomllib.loads((folder / "template.toml").read_text("utf-8"))
    artefact = {
        "category": about["category"],
        "subject": about["subject"],
        **_parts(folder, about),
        "schema": about["schema"],
        "targeting": {},
    }
    if samples := about.get("samples"):
        artefact["samples"] = samples
    return folder.name, artefact


def _parts(folder: Path, about: dict[str, Any]) -> dict[str, Any]:
    written = folder / "body.mjml"
    if not written.exists():
        body = (folder / "body.html").read_text("utf-8")
        html = _letter(folder.parent / "letter.html", {"body": body, **about["letter"]}) if "letter" in about else body
        return {"html": html, "text": (folder / "body.txt").read_text("utf-8")}
    source = Source("mjml", written.read_text("utf-8"), about.get("preheader", ""))
    document = {name: value for name in ("kind", "body", "preheader") if (value := getattr(source, name))}
    built = build(source)
    return {"source": document, "html": built.html, "text": built.text}


def _letter(frame: Path, words: dict[str, str]) -> str:
    html = frame.read_text("utf-8")
    for mark, given in words.items():
        html = html.replace(f"[[{mark}]]", given)
    return html
