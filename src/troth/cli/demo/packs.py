"""Before the demo's river: the template packs, read from their files into the artefacts that are proposed.

A pack is HTML and text as they are sent (body.html, body.txt), or MJML as a person writes it (body.mjml), from which
both are made as the editor makes them.
"""

import tomllib
from pathlib import Path
from typing import Any

from troth.mail.building import Source, build

FOLDER = Path(__file__).with_name("packs")


def template(pack: str) -> tuple[str, dict[str, Any]]:
    """The code and artefact of a pack such as `property/rent-reminder`."""
    folder = FOLDER / pack
    about = tomllib.loads((folder / "template.toml").read_text("utf-8"))
    artefact = {
        "category": about["category"],
        "subject": about["subject"],
        **_parts(folder, about.get("preheader", "")),
        "schema": about["schema"],
        "targeting": {},
    }
    if samples := about.get("samples"):
        artefact["samples"] = samples
    return folder.name, artefact


def _parts(folder: Path, preheader: str) -> dict[str, Any]:
    written = folder / "body.mjml"
    if not written.exists():
        return {"html": (folder / "body.html").read_text("utf-8"), "text": (folder / "body.txt").read_text("utf-8")}
    source = Source("mjml", written.read_text("utf-8"), preheader)
    document = {name: value for name in ("kind", "body", "preheader") if (value := getattr(source, name))}
    built = build(source)
    return {"source": document, "html": built.html, "text": built.text}
