"""Around the house: a first run's questions about settings; those that are set are told and left alone."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from troth.cli import worker
from troth.cli.doctor.checks import disk, relay
from troth.cli.doctor.finding import State
from troth.cli.doctor.lenient import Read, read
from troth.cli.doctor.reaching import CONNECT, cause
from troth.cli.first_run.asking import Unfit, ask, ask_secret, say, title, yes
from troth.cli.first_run.keeping import keep
from troth.cli.words import CommandError
from troth.control.approvals.artefacts.domain import name_problem
from troth.outside.postgres_binaries import OLDEST
from troth.settings import SettingError, Settings, load
from troth.settings.declared import declared
from troth.settings.load import PREFIX

_RELAY = ("relay_host", "relay_port", "relay_tls", "relay_username", "relay_password")
_EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class Asker:
    """The settings file and the folder that the questions are about."""

    file: Path
    cwd: Path
    env: Mapping[str, str]

    def now(self) -> Read:
        """The settings as they stand; raise CommandError when something in them is wrong already."""
        found = read(self.env, self.cwd)
        if found.problems:
            raise CommandError("\n".join(("Correct the settings first:", *(f"  {each}" for each in found.problems))))
        return found

    def is_set(self, name: str) -> bool:
        variable = PREFIX + name.upper()
        return bool(name in self.now().in_file or self.env.get(variable) or self.env.get(f"{variable}_FILE"))

    def one(
        self, name: str, question: str, default: str | None = None, also: Callable[[str], None] | None = None
    ) -> None:
        """Ask for one setting and keep it at once."""
        if self.is_set(name):
            say(f"{name}: {_shown(self.now().settings, name)} (set already)")
            return
        keep(self.file, {name: ask(question, _checker(name, self.cwd, also), default)})

    def settings(self) -> Settings:
        try:
            return load(self.env, self.cwd)
        except SettingError as wrong:
            raise CommandError(str(wrong)) from wrong


def ask_all(asker: Asker) -> Settings:
    """Every setting that `troth up` needs; gives them all."""
    title("1. Settings")
    if not asker.file.exists():
        keep(asker.file, {})
    say(f"Kept in {asker.file}, each answer at once. Stop with ctrl-C and run `troth init` again to go on.")
    asker.one("var_dir", "Folder of all that Troth writes (database, keys, logs)", "var", _can_be_written(asker))
    _database(asker)
    asker.one("public_url", "Address of the pages, as the world writes it (https://mail.example.com)")
    _relay(asker)
    asker.one("return_path_domain", "Domain of the return paths, which bounces come back to (bounces.example.com)",
              also=_domain)  # fmt: skip
    asker.one(
        "spf_mechanism", "What every sender domain's SPF record must hold, as your relay says (include:spf.example.com)"
    )
    return asker.settings()


def _shown(settings: Settings, name: str) -> str:
    return "(not shown)" if declared()[name][0].secret else str(getattr(settings, name))


def _checker(name: str, cwd: Path, also: Callable[[str], None] | None = None) -> Callable[[str], str]:
    """What the setting itself allows, then what only we know of it."""
    kind = declared()[name][0].kind

    def check(given: str) -> str:
        try:
            value = kind.read(given, cwd)
        except ValueError:
            raise Unfit(f"That is not {kind.allowed}.") from None
        if also:
            also(given)
        return given if isinstance(value, Path) else str(value)

    return check


def _can_be_written(asker: Asker) -> Callable[[str], None]:
    def check(given: str) -> None:
        if bad := disk.unusable(asker.file.parent / Path(given).expanduser()):
            raise Unfit(f"{bad.what}. {bad.fix}")

    return check


def _domain(given: str) -> None:
    for problem in name_problem("domain", given):
        raise Unfit(problem.hint)


def _database(asker: Asker) -> None:
    settings = asker.now().settings
    if settings.database_url or settings.database_url_control:
        say("database_url: (not shown) (set already)")
    elif (settings.var_dir / "postgres").exists():
        say(f"The embedded database in {settings.var_dir / 'postgres'} is there already.")
    else:
        given = ask("Database: a postgresql:// address of its set-up account, or Enter for the embedded one",
                    _database_url(asker.cwd), _EMBEDDED)  # fmt: skip
        if given != _EMBEDDED:
            keep(asker.file, {"database_url": given})


def _database_url(cwd: Path) -> Callable[[str], str]:
    def check(given: str) -> str:
        if given == _EMBEDDED:
            return given
        _checker("database_url", cwd)(given)
        try:
            where: dict[str, Any] = {**conninfo_to_dict(given), "dbname": "postgres", "connect_timeout": CONNECT}
            with psycopg.connect(**where) as connection:
                row = connection.execute(
                    "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
                ).fetchone()
                version = connection.info.server_version
        except psycopg.ProgrammingError:
            raise Unfit("That address cannot be read: write special signs of the password as %xx.") from None
        except psycopg.OperationalError as away:
            raise Unfit(f"It cannot be used ({cause(str(away))}): {' '.join(str(away).split())}") from None
        if version < OLDEST * 10_000:
            raise Unfit(f"That is PostgreSQL {version // 10_000}; {OLDEST} or newer is needed.")
        if row != (True,):
            raise Unfit("That account may not make roles; name one that may (CREATEROLE, CREATEDB), such as postgres.")
        return given

    return check


def _relay(asker: Asker) -> None:
    """All about the relay is kept together, when it has been tried."""
    known = asker.now()
    if known.settings.relay_host:
        say(f"relay_host: {known.settings.relay_host} (set already)")
        return
    while True:
        answers = _ask_relay(asker)
        values: dict[str, Any] = {
            name: int(value) if name.endswith("_port") else value for name, value in answers.items()
        }
        if _works(replace(known.settings, **values)):
            keep(asker.file, {name: value for name, value in values.items() if not asker.is_set(name)})
            return


def _ask_relay(asker: Asker) -> dict[str, str]:
    known = asker.now().settings

    def setting(name: str, question: str, default: str | None = None) -> str:
        if asker.is_set(name):
            say(f"{name}: {_shown(known, name)} (set already)")
            return str(getattr(known, name))
        return ask(question, _checker(name, asker.cwd), default)

    host = setting("relay_host", "Relay that mail is handed to: its host name (smtp.example.com)")
    found = {"relay_host": host, "relay_port": setting("relay_port", "Its port", "587")}
    tls = "implicit" if found["relay_port"] == "465" else "starttls"
    found["relay_tls"] = setting("relay_tls", "Its TLS: starttls, implicit or none", tls)
    if asker.is_set("relay_username"):
        return found
    user = ask(
        "Your user name there, or Enter for none", lambda given: given and _checker("relay_username", asker.cwd)(given)
    )
    if user:
        found["relay_username"] = user
        found["relay_password"] = ask_secret("Your password there (not shown)", _checker("relay_password", asker.cwd))
    return found


def _works(settings: Settings) -> bool:
    """Whether the relay takes us; where it does not, the person may know better."""
    try:
        worker.route(settings)
    except CommandError as bad:
        say(f"  {bad}")
        return False
    say("  Trying the relay (no mail is sent) ...")
    found = relay.examine(settings)
    say(f"  {found.state}: {found.what}.")
    if found.state is State.OK:
        return True
    say(f"  {found.fix}")
    return yes("Keep these answers all the same", default=False)


def environment(cwd: Path) -> Asker:
    from troth.cli.doctor.lenient import settings_file

    return Asker(settings_file(os.environ, cwd), cwd, os.environ)
