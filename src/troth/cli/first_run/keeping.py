"""Around the house: the settings file, as a first run writes it: lines are added, none changed; whole or not at all."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from troth.cli.words import CommandError

_HEAD = "# Troth's settings; docs/settings.md says what each one is. It holds secrets: keep it at mode 0600.\n"


def keep(file: Path, values: Mapping[str, str | int]) -> None:
    """Add settings to the file, in one step, with mode 0600; what stands in it stays as it is."""
    beside = file.with_name(f"{file.name}.new")
    try:
        there = file.read_text(encoding="utf-8") if file.exists() else _HEAD
        joint = "" if not there or there.endswith("\n") else "\n"
        text = there + joint + "".join(f"{name} = {_toml(value)}\n" for name, value in values.items())
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)  # of a run that was stopped
        private = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(private, "w", encoding="utf-8") as new:
            new.write(text)
            new.flush()
            os.fsync(new.fileno())
        beside.replace(file.resolve())
    except (OSError, UnicodeDecodeError) as trouble:
        raise CommandError(f"{file} cannot be written: {trouble}.") from trouble


def _toml(value: str | int) -> str:
    """A basic string of TOML is written as JSON's."""
    return json.dumps(value, ensure_ascii=False)
