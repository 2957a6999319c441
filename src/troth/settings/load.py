"""Around the house: reads settings from the environment and troth.toml; what is unknown or wrong stops the start."""

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from troth.settings.declared import About, Settings, declared

PREFIX = "TROTH_"
CONFIG = "TROTH_CONFIG"  # names the file, so it cannot stand in the file
FILE = "troth.toml"


class SettingError(Exception):
    """One sentence that names the setting, what was given (never a secret) and what is allowed."""


def load(env: Mapping[str, str], cwd: Path, file: Path | None = None) -> Settings:
    """Settings from `TROTH_*`, then the file (`file`, TROTH_CONFIG, or troth.toml in `cwd` if there), then defaults."""
    cwd = cwd.absolute()
    path = file or (Path(env[CONFIG]) if env.get(CONFIG) else None)
    values = _from_file(cwd / (path or FILE), required=path is not None) | _from_env(env, cwd)
    settings = Settings(**values)
    _check_together(settings)
    return replace(settings, var_dir=cwd / settings.var_dir)


def require(settings: Settings, *names: str) -> None:
    """Raise unless each of these settings has a value."""
    for name in names:
        if getattr(settings, name) in (None, ()):
            about, _ = declared()[name]
            raise SettingError(f"{name} ({_variable(name)}) is needed and not set: {_lower(about.doc)}")


def _from_file(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists() and not required:
        return {}
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as trouble:
        raise SettingError(f"The settings file {path} cannot be read: {trouble}.") from trouble
    except tomllib.TOMLDecodeError as trouble:
        raise SettingError(f"The settings file {path} is not TOML: {trouble}.") from trouble
    known = declared()
    for name in given:
        if name not in known:
            raise SettingError(f"{name} in {path} is not a setting{_nearest(name, known)}.")
    return {name: _read(name, known[name][0], value, path.parent, f" in {path}") for name, value in given.items()}


def _from_env(env: Mapping[str, str], cwd: Path) -> dict[str, Any]:
    """An empty variable counts as not set, as compose files leave them."""
    known = declared()
    direct = {_variable(name): name for name in known}
    by_file = {f"{_variable(name)}_FILE": name for name, (about, _) in known.items() if about.secret}
    values: dict[str, Any] = {}
    for variable, text in sorted(env.items()):
        if not variable.startswith(PREFIX) or variable == CONFIG:
            continue
        name = direct.get(variable) or by_file.get(variable)
        if name is None:
            raise SettingError(f"{variable} is not a setting{_nearest(variable, [*direct, *by_file])}")
        if not text:
            continue
        if name in values:
            raise SettingError(f"{_variable(name)} and {_variable(name)}_FILE are both set: keep one.")
        given = text if variable in direct else _secret_in(variable, cwd / text)
        values[name] = _read(name, known[name][0], given, cwd, f" ({variable})")
    return values


def _secret_in(variable: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as trouble:
        raise SettingError(f"{variable} names {path}, which cannot be read: {trouble}.") from trouble


def _read(name: str, about: About, given: object, base: Path, where: str) -> Any:
    try:
        return about.kind.read(given, base)
    except ValueError:
        shown = "a value that is not shown" if about.secret else repr(given)
        raise SettingError(f"{name}{where} is {shown}; allowed is {about.kind.allowed}.") from None


def _check_together(settings: Settings) -> None:
    if bool(settings.relay_username) != bool(settings.relay_password):
        raise SettingError("relay_username and relay_password belong together: set both or neither.")
    if bool(settings.tls_cert_file) != bool(settings.tls_key_file):
        raise SettingError("tls_cert_file and tls_key_file belong together: set both or neither.")
    if settings.relay_username and settings.relay_tls == "none" and settings.mode == "production":
        raise SettingError(
            "relay_tls is 'none', which would send relay_password in clear; allowed with a password is "
            "'starttls' or 'implicit'."
        )
    if settings.webhook_allow and settings.mode == "production":
        raise SettingError(
            "webhook_allow names inner networks, which webhooks never reach in production; leave it empty, or set mode "
            "to 'demo' or 'test'."
        )
    played = settings.sns_test_origin or settings.sns_test_ca_file or settings.providers_test_origin
    if played and settings.mode == "production":
        raise SettingError(
            "sns_test_origin, sns_test_ca_file and providers_test_origin stand in for Amazon, Google and Microsoft, "
            "which production never lets anybody do; leave them empty, or set mode to 'demo' or 'test'."
        )
    if settings.sign_on_allow and settings.mode == "production":
        raise SettingError(
            "sign_on_allow names inner networks, where no sign-on provider is asked in production; leave it empty, or "
            "set mode to 'demo' or 'test'."
        )


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else "; docs/settings.md lists them all."


def _variable(name: str) -> str:
    return PREFIX + name.upper()


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
