"""What the paths of every_page.py name: the world that they are looked at in, made once for all pages."""

import re
from collections.abc import Callable
from uuid import UUID

from tests.browser import recipient_world, seeding
from tests.browser.every_page import KINDS
from tests.browser.forms import sent
from tests.browser.simulator_world import simulated
from tests.control.incidents.cast import opened
from tests.control.ledger.house import House
from tests.control.people.test_passwords import made as password_link
from tests.support import history, pages
from tests.support import seeding as river
from tests.support.evidence_made import handed_in
from tests.support.letters import shelved
from tests.support.loops_made import loops, marked
from tests.support.pages import Site
from tests.support.soft_key import SoftKey

from troth.keys.ids import wire


def _messages(site: Site) -> str:
    """A list with a page to turn, and one message with all that can be known of it."""
    river.people(site.firm, 60)
    river.messages(site.firm, 200, weeks=1, real=60)
    house = House(site.firm, site.folder)
    message = house.tell(copies=3)
    site.operator.database.fill(
        "INSERT INTO email (id, tenant_id, category_id, category_snapshot, policy_digest, created_at, recipients)"
        " SELECT email_id, tenant_id, category_id, %s, sha256('p'), created_at, 1 FROM message WHERE id = %s",
        site.operator.snapshot(site.firm.category), message,
    )  # fmt: skip
    house.seal()
    return wire("msg", "a", message)


def _entry(site: Site) -> str:
    query = "SELECT max(index) FROM ledger_leaf WHERE tenant_id = %s"
    return str(site.operator.admin.execute(query, (site.firm.tenant,)).fetchone()[0])


def _governed(site: Site) -> str:
    """The newest entry of a change of the client's."""
    query = "SELECT max(index) FROM ledger_leaf WHERE tenant_id = %s AND kind LIKE 'governance:%%'"
    return str(site.operator.admin.execute(query, (site.firm.tenant,)).fetchone()[0])


def _long(site: Site) -> str:
    """A change with a long code and a long reason."""
    query = "SELECT id FROM change WHERE tenant_id = %s AND state = 1 AND code LIKE 'reminder-long%%'"
    return str(site.operator.admin.execute(query, (site.firm.tenant,)).fetchone()[0])


def _approved(kind: str) -> Callable[[Site], str]:
    query = "SELECT min(id::text) FROM change WHERE tenant_id = %s AND state = 2 AND kind = %s"
    code = kind.replace("_", "-")
    return lambda site: str(site.operator.admin.execute(query, (site.firm.tenant, code)).fetchone()[0])


def _stop(site: Site) -> str:
    query = "SELECT (pause_v1(ARRAY[%s::uuid], 'stop-new', 'Twice as much as yesterday.', 'watch'))[1]"
    return str(site.operator.admin.execute(query, (site.firm.tenant,)).fetchone()[0])


def _webhook(site: Site) -> str:
    sent(site.visitor(site.member), "/webhooks/new", url="https://hooks.firm.example/troth")
    query = "SELECT id FROM webhook_endpoint WHERE tenant_id = %s"
    return str(site.operator.admin.execute(query, (site.firm.tenant,)).fetchone()[0])


def _factor(site: Site) -> str:
    """A second passkey: the last one cannot be removed."""
    return str(pages.passkey(site.operator, site.member.account, SoftKey(site.member.account), "Old phone"))


def _draft(site: Site) -> str:
    """As a person makes one; its id."""
    page = sent(site.visitor(site.member), "/templates/new", code="late-fee", category="rent")
    assert "/templates/drafts/" in page.url, page.url
    return page.url.rpartition("/")[2]


def _category_draft(site: Site) -> str:
    page = sent(site.visitor(site.member), "/categories/new", code="late-fee", name="Late fees")
    assert "/categories/drafts/" in page.url, page.url
    return page.url.rpartition("/")[2]


def _policy(site: Site) -> str:
    """A draft of the client's own policy."""
    page = sent(site.visitor(site.member), "/policies/client/edit")
    assert page.url.endswith("/review"), page.url
    return page.url


def _review(site: Site) -> str:
    page = sent(site.visitor(site.member), "/reviews", "/reviews/begin")
    found = re.search(r"/reviews/([0-9a-f-]{36})", page.url + page.text)
    assert found is not None, page.url
    return found[1]


def _who(site: Site) -> str:
    """A suppressed address, sealed as in an address bar."""
    page = sent(site.visitor(site.member), "/suppressions", "/suppressions/find", q=next(iter(site.firm.people)))
    return page.url.partition("who=")[2]


# what the paths name, made in this order once for all pages
MAKERS: dict[str, Callable[[Site], str]] = {
    "busy": lambda site: str(seeding.busy(site)),
    "message": _messages,
    "suppressions": lambda site: str(river.suppressions(site.firm, 80)),
    "who": _who,
    "template": lambda site: str(site.firm.template),
    "category": lambda site: str(site.firm.category),
    "category_draft": _category_draft,
    "domain": lambda site: str(site.firm.domain),
    "key": lambda site: str(site.firm.key),
    "change": lambda site: str(seeding.propose(site, "waiting", "The new terms of 1 December ask for it.")),
    "person": lambda site: str(site.member.account),
    "tenant": lambda site: str(site.firm.tenant),
    "other": lambda site: str(site.other.tenant),
    "long_change": _long,
    **{f"approved_{kind}": _approved(kind) for kind in KINDS},
    "anomaly": lambda site: str(history.unusual(site.operator, site.firm, 12)),
    "route": lambda site: history.warming(site.operator),
    "incident": lambda site: str(
        opened(site.operator, tenant=site.firm.tenant, clocks=[("told", 1), ("review", 20)], words="It came by a loop.")
    ),
    "stop": _stop,
    "loop": loops,
    "flag": marked,
    "service": recipient_world.service,
    "recipient": recipient_world.recipient,
    **{f"import_{state}": recipient_world.handed_in(state) for state in ("checked", "broken", "done", "moving", "new")},
    "report": recipient_world.report,
    "webhook": _webhook,
    "entry": _entry,
    "governed": _governed,
    "confirm": recipient_world.confirm("confirmation-link"),
    "confirm_code": recipient_world.confirm("multi-step"),
    "factor": _factor,
    "password": lambda site: password_link(site, site.member),
    "draft": _draft,
    "policy": _policy,
    **{f"simulation_{state}": simulated(state) for state in ("much", "nothing", "failed", "moving")},
    "colleague": lambda site: str(
        pages.join(site.operator, "Tomas Brandl <tomas@firm.test>", "author", site.firm.tenant).account
    ),
    "review": _review,
    "letter": shelved,
    "evidence": handed_in,
    "nothing": lambda _site: str(UUID(int=7)),
}
