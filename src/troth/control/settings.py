"""Django's settings, made from Troth's: the control plane has no knobs of its own."""

from typing import Any

INSTALLED_APPS = [
    "troth.control.audit",
    "troth.control.tenants",
    "troth.control.people",
    "troth.control.approvals",
    "troth.control.pipeline",
    "troth.control.recipients",
]


def database(conninfo: dict[str, Any]) -> dict[str, Any]:
    """Psycopg keywords (host, port, user, password, dbname, options) as Django's DATABASES entry."""
    known = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    entry = {django: conninfo[ours] for ours, django in known.items() if ours in conninfo}
    options = {k: v for k, v in conninfo.items() if k not in known}
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options, **entry}
