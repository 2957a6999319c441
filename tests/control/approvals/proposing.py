"""A proposal in somebody's name, with a session of theirs, as the pages make it."""

import hashlib
import os

from tests.support.firm import now

from troth.keys.ids import uuid7
from troth.ledger.canonical import canonical_document


def propose(site, account, kind, code, artefact, subject=None, *, tenant="firm", reason="The new terms ask for it."):
    """The change's id and digest."""
    operator = site.operator
    secret = session(site, account)
    change, text = uuid7(now()), canonical_document(artefact).decode()
    home = site.firm.tenant if tenant == "firm" else tenant
    digest = operator.control.execute(
        "SELECT propose_v1(%s, %s, %s, %s, %s, %s, %s, %s)",
        (change, kind, home, subject or uuid7(now()), code, text, reason, secret),
    ).fetchone()[0]
    return change, digest


def session(site, account):
    secret = os.urandom(32)
    signin = site.operator.database.open("troth_signin")
    signin.execute(
        "SELECT page_session_open_v1(%s, %s, '{password,passkey}', true, NULL, NULL, NULL)",
        (account, hashlib.sha256(secret).digest()),
    )
    signin.close()
    return secret
