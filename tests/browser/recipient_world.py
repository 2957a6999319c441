"""Recipients and imports for the pages that are looked at: one with a history, files in each state,
what is to be served otherwise, and what somebody reported.
"""

import base64
import hashlib
import os
from collections.abc import Callable
from uuid import uuid4

from tests.control.imports.test_working import approve, found, propose, receive
from tests.control.imports.working_with import work, worker
from tests.control.ledger.house import House
from tests.support.pages import Site

from troth.control.audit.scope import connect
from troth.keys.ids import wire


def recipient(site: Site) -> str:
    """One with a history of everything."""
    person, admin = site.firm.person("margit.lindqvist@home.example", status=1), site.operator.admin
    admin.execute(
        "INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, created_at, expires_at, used_at, asked_by)"
        " VALUES (sha256('seen'), %s, %s, 'confirmation-link', now_v1() - interval '4 days', now_v1() - interval '1 day',"
        " now_v1() - interval '3 days', %s)", (site.firm.tenant, person, f"key:{site.firm.key}"))  # fmt: skip
    admin.execute(
        "UPDATE person SET status = 2, pathway = 'confirmation-link', verified_at = now_v1() - interval '3 days',"
        " expires_at = now_v1() + interval '300 days', timezone = 'Europe/Stockholm' WHERE id = %s", (person,))  # fmt: skip
    admin.execute(
        "INSERT INTO consent (id, tenant_id, person_id, kind, basis, at, detail_ct)"
        " VALUES (%s, %s, %s, 1, 'form', now_v1(), '\\x02')", (uuid4(), site.firm.tenant, person))  # fmt: skip
    return wire("rcp", "a", person)


def handed_in(state: str) -> Callable[[Site], str]:
    """A file that is `new`, `checked`, `broken`, being carried out (`moving`), or `done`."""

    def make(site: Site) -> str:
        said = "express,2026-01-05T10:00:00+01:00,Yes. Send me the monthly news.,ticked a box at check-out"
        lines = ["email,timezone,consent,consent_given_at,consent_wording,consent_how,shoe size",
                 *(f"{state}{n}@many.example,Europe/Oslo,{said},38" for n in range(1_040)), "bad@,,,,,,",
                 f"{state}3@many.example,Europe/Oslo,{said},", f"{state}5@many.example,Asia/Tokyo,,,,,",
                 "zoë@home.example,,,,,,", "ann@gmaill.com,,,,,,", "bo@home.example,,express,2026-01-05,,,",
                 "cy@nowhere.example,,,,,,"]  # fmt: skip
        data = "\n".join(lines).encode("latin-1" if state == "broken" else "utf-8")
        subject = receive(site.firm, data, "recipients", encoding="detect", pathway="")
        if state == "new":
            return str(subject)
        work(site.operator)
        if state in ("moving", "done"):
            approve(site.firm, propose(site.firm, found(site.firm, subject)))
            with connect(site.operator.database.conninfo("troth_control"), "imports") as connection:
                worker(site.operator, stopped=lambda: state == "moving").round(connection)
        return str(subject)

    return make


def service(site: Site) -> str:
    """A required notice that waits to be served otherwise."""
    return _private(
        site, "INSERT INTO serve_otherwise VALUES (%s, %s, %s, %s, now_v1(), now_v1() + interval '26 hours')"
    )


def report(site: Site) -> str:
    """What a recipient said of a message."""
    report = str(uuid4())
    query = "INSERT INTO abuse_report (message_id, tenant_id, person_id, category_id, id, at) VALUES (%s, %s, %s, %s, '"
    _private(site, f"{query}{report}', now_v1())")
    return report


def _private(site: Site, query: str) -> str:
    house = House(site.firm, site.folder)
    message = house.tell("yan@home.example")
    site.operator.database.fill(
        query, message, site.firm.tenant, site.firm.people["yan@home.example"], site.firm.category
    )
    return str(message)


def confirm(pathway: str) -> Callable[[Site], str]:
    """A link as POST /recipients keeps and mails it."""

    def make(site: Site) -> str:
        secret, person = os.urandom(32), site.firm.person(f"{pathway}@home.example", status=1)
        site.operator.admin.execute(
            "INSERT INTO confirmation (secret_hash, tenant_id, person_id, pathway, code_hash, created_at, expires_at)"
            " VALUES (%s, %s, %s, %s, sha256('code'), now_v1(), now_v1() + interval '1 day')",
            (hashlib.sha256(secret).digest(), site.firm.tenant, person, pathway),
        )
        return f"/confirm/{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}"

    return make
