"""Before the demo's river: the template packs, read from their files into the artefacts that are proposed."""

import tomllib
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).with_name("packs")


def template(pack: str) -> tuple[str, dict[str, Any]]:
    """The code and artefact of a pack such as `property/rent-reminder`."""
    folder = FOLDER / pack
    about = tomllib.loads((folder / "template.toml").read_text("utf-8"))
    artefact = {
        "category": about["category"],
        "subject": about["subject"],
        "html": (folder / "body.html").read_text("utf-8"),
        "text": (folder / "body.txt").read_text("utf-8"),
        "schema": about["schema"],
        "targeting": {},
    }
    return folder.name, artefact
