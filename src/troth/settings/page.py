"""Around the house: the settings as a page (docs/settings.md), generated so that it cannot be out of date."""

from troth.settings.declared import declared

_HEAD = """# Settings

Generated from `src/troth/settings`; do not edit. A setting comes from the environment, else from `troth.toml` in the
current folder (or the file that `TROTH_CONFIG` names), else it has its default. A secret may be put in a file of its
own, named by its variable with `_FILE` behind it. An empty variable counts as not set. An unknown or bad setting stops
the start.

| setting | variable | allowed | default | what it is |
|---|---|---|---|---|
"""


def settings_markdown() -> str:
    """The whole page."""
    return _HEAD + "".join(
        f"| `{name}`{' (secret)' if about.secret else ''} | `TROTH_{name.upper()}` | {about.kind.allowed} "
        f"| {_shown(field.default)} | {about.doc} |\n"
        for name, (about, field) in declared().items()
    )


def _shown(default: object) -> str:
    if default in (None, ()):
        return "not set"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    return f"`{', '.join(map(str, default)) if isinstance(default, tuple) else default}`"
