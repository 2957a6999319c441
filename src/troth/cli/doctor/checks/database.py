"""Around the house: doctor's check of the database: there, new enough, and open to each of our roles."""

from collections import defaultdict

from psycopg.conninfo import conninfo_to_dict

from troth.cli.doctor.finding import Finding, Findings, ok, unknown, wrong
from troth.cli.doctor.patient import Patient
from troth.cli.doctor.reaching import ROLES, Unreached
from troth.outside.postgres_binaries import OLDEST
from troth.settings import Settings

_FIXES = {
    "password": "Correct the password in the setting, or the role's in the database (ALTER ROLE ... PASSWORD).",
    "no role": "`troth init` makes the roles; or correct the user in the setting.",
    "no database": "`troth init` makes the database; or correct its name in the setting.",
    "not let in": "Let the role in: pg_hba.conf, GRANT CONNECT ON DATABASE, and LOGIN.",
    "full": "Raise max_connections, or end what else is connected.",
    "starting": "Wait until the database has started; its log says how far it is.",
    "TLS": "Let the setting's sslmode and certificates be what the server has.",
    "no name": "Correct the host in the setting, or the DNS that this machine asks.",
    "refused": "Start the database, or correct host and port in the setting.",
    "silent": "See that the database runs and that no firewall lies between; correct host and port in the setting.",
    "old": f"Use PostgreSQL {OLDEST} or newer.",
    "address": "Write it as postgresql://user:password@host:5432/name, with special signs as %xx.",
    "other": "See the database's own log.",
}


def look(patient: Patient) -> Findings:
    reached = patient.reached
    if not reached.begun:
        yield unknown("the database: there is none yet", "`troth init` makes it.")
        return
    if reached.down:
        yield wrong(f"the embedded database does not run: {reached.down}", _down_fix(reached.down, patient.settings))
        return
    yield from _failures(patient)
    if reached.roles:
        yield from _server(patient, next(iter(reached.roles)))


def _down_fix(said: str, settings: Settings) -> str:
    if "No space left" in said:
        return "Free some space on its disk; nothing is lost."
    if "TROTH_PG_BIN" in said or "pg_bin" in said:
        return "Do as it says."
    return f"Look into the newest file of {settings.var_dir / 'postgres' / 'log'}, mend what it names, then `troth up`."


def _failures(patient: Patient) -> Findings:
    """One line for each cause, whichever roles it stops."""
    stopped: dict[Unreached, list[str]] = defaultdict(list)
    plain: dict[str, Unreached] = {}
    for role, failure in patient.reached.failures.items():
        # the server's words name the role, which would make one cause four
        first = plain.setdefault(failure.cause, failure)
        stopped[first].append(f"troth_{role}")
    for failure, roles in stopped.items():
        yield _failure(patient, failure, roles)


def _failure(patient: Patient, failure: Unreached, roles: list[str]) -> Finding:
    setting = _setting(patient.settings, roles[0].removeprefix("troth_"))
    said = failure.said.strip().splitlines()[0] if failure.said.strip() else failure.cause
    place = f"the database {_place(patient.settings, roles[0])}"
    who = "nobody" if len(roles) == len(ROLES) else f"not {', '.join(roles)}"
    what = f"{place} is too old: {said}" if failure.cause == "old" else f"{place} lets {who} in: {said}"
    return wrong(what, f"{_FIXES[failure.cause]} ({setting})")


def _setting(settings: Settings, role: str) -> str:
    own = f"database_url_{role}"
    return own if getattr(settings, own) else "database_url" if settings.database_url else "the embedded database"


def _place(settings: Settings, role: str) -> str:
    url = settings.database_url_for(role.removeprefix("troth_"))
    if not url:
        return f"in {settings.var_dir / 'postgres'}"
    try:
        found = conninfo_to_dict(url)
    except Exception:  # noqa: BLE001 - whatever is wrong with it, it is not repeated: a password may be in it
        return "at an address that cannot be read"
    return f"at {found.get('host') or 'the local socket'}:{found.get('port') or 5432}/{found.get('dbname') or ''}"


def _server(patient: Patient, role: str) -> Findings:
    with patient.connection(role) as connection:
        recovering = connection.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)
        name = connection.info.parameter_status("server_version")
    if recovering:
        yield wrong(
            "the database is a standby, which takes no writes",
            "Let the settings name the primary, or promote this one (pg_promote).",
        )
    elif not patient.reached.failures:
        yield ok(f"PostgreSQL {name} lets every role in")
