"""The house's look at the database's own door: whom it lets in without a certificate, or without TLS.

Nobody is let in by this: each try says less than a program of ours does, and ends at once where it was let in.
"""

from collections.abc import Mapping
from typing import Any

import psycopg

_PATIENCE = 5  # seconds
_NOWHERE = "/nowhere/no-certificate"  # libpq shows none where the file is not there
WAYS: Mapping[str, Mapping[str, Any]] = {
    "without a certificate": {"sslmode": "require", "sslcert": _NOWHERE, "sslkey": _NOWHERE},
    "without TLS": {"sslmode": "disable"},
}
# what the server says of a door that is shut for good, whatever its language: a file's name, and the word it turns on
_SHUT = ("pg_hba.conf", "certifica", "Zertifikat")


def tried(place: Mapping[str, Any], role: str, way: str) -> tuple[bool, str]:
    """Whether it was refused for what it lacks; else what came instead: it was let in, or the try says nothing."""
    keywords = {**place, "user": role, "connect_timeout": _PATIENCE, "gssencmode": "disable", **WAYS[way]}
    try:
        psycopg.connect(**keywords).close()
    except psycopg.OperationalError as trouble:
        if trouble.pgconn is not None and trouble.pgconn.needs_password:
            return False, "is asked for a password"
        said = str(trouble)
        return any(word in said for word in _SHUT), ""
    return False, "is let in"
