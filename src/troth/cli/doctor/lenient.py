"""Around the house: reads the settings as far as they can be read, so that a wrong one hides nothing else from the
doctor.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from troth.settings import SettingError, Settings, load
from troth.settings.declared import declared
from troth.settings.load import CONFIG, FILE, PREFIX

_LIMIT = 1 << 20  # bytes of a settings file


@dataclass(frozen=True, slots=True)
class Read:
    """`problems` are sentences; `settings` has everything else, and defaults where something is wrong."""

    settings: Settings
    file: Path
    problems: tuple[str, ...] = ()
    in_file: frozenset[str] = field(default=frozenset())


def settings_file(env: Mapping[str, str], cwd: Path) -> Path:
    """The file that `load` reads, whether it is there or not."""
    return cwd / (env.get(CONFIG) or FILE)


def read(env: Mapping[str, str], cwd: Path) -> Read:
    file = settings_file(env, cwd)
    in_file, trouble = _given(file)
    try:
        return Read(load(env, cwd), file, in_file=frozenset(in_file))
    except SettingError as wrong:
        problems, values = [str(wrong)], {}
    for name, value, base, where in (*_in_file(in_file, file), *_in_env(env, cwd)):
        found = _one(name, value, base)
        if found is None:
            problems.append(f"{where} is not what {name} allows.")
        else:
            values[name] = found[0]
    problems += [f"{name} in {file} is not a setting." for name in in_file if name not in declared()]
    settings = Settings(**values)
    whole = replace(settings, var_dir=cwd / settings.var_dir)
    return Read(whole, file, _distinct(problems, trouble), frozenset(in_file))


def _distinct(problems: list[str], trouble: str | None) -> tuple[str, ...]:
    """`load` names the first problem in its own words; ours for the same one would say it twice."""
    first = problems[0]
    if trouble:
        return (first,)
    rest = [each for each in problems[1:] if each.split(" ", 1)[0] not in first]
    return (first, *dict.fromkeys(rest))


def _given(file: Path) -> tuple[dict[str, Any], str | None]:
    try:
        with file.open("rb") as opened:
            return tomllib.loads(opened.read(_LIMIT).decode()), None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as trouble:
        return {}, str(trouble) if file.exists() else None


Given = tuple[str, object, Path, str]


def _in_file(in_file: dict[str, Any], file: Path) -> Iterator[Given]:
    for name, value in in_file.items():
        if name in declared():
            yield name, value, file.parent, f"{name} in {file}"


def _in_env(env: Mapping[str, str], cwd: Path) -> Iterator[Given]:
    for name in declared():
        variable = PREFIX + name.upper()
        if env.get(variable):
            yield name, env[variable], cwd, variable


def _one(name: str, value: object, base: Path) -> tuple[Any] | None:
    try:
        return (declared()[name][0].kind.read(value, base),)
    except ValueError:
        return None
