"""A piece of evidence on the running pages, which somebody else than the first owner brought."""

from datetime import UTC, timedelta
from uuid import UUID

from tests.support.firm import now
from tests.support.pages import Site

from troth.control.evidence import acts
from troth.control.evidence.acts import Offered
from troth.keys.keyring import OPERATOR

TEXT = b"What was done, by whom, and what came of it.\n"


def bring(site: Site, who: int = 1, **other: object) -> acts.Submitted:
    """By one of the two owners."""
    operator = site.operator
    keyset = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    given = {"programme": None, "claim": "APP-6", "kind": "penetration-test", "title": "Penetration test by Ash & Co",
             "filename": "report.txt", "media_type": "text/plain", "performed_on": now().astimezone(UTC).date() - timedelta(2),
             "public": False, "content": TEXT} | other  # fmt: skip
    keys = operator.keyring.tenant(OPERATOR, keyset)
    return acts.submit(operator.control, keys, operator.sessions[who], Offered(**given), now())  # type: ignore[arg-type]  # the test says what it wants


def accept(site: Site, made: acts.Submitted, who: int = 0) -> None:
    acts.accept(site.operator.control, site.operator.sessions[who], made.id, made.digest)


def handed_in(site: Site) -> UUID:
    """Its id; it waits for a second person."""
    return bring(site).id
