"""Beside the demo's river: what its people begin in the pages and leave there, for whoever signs in to decide: a
template that its author proposed, with a comment; a policy's draft; an access review.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from uuid import UUID

from troth.cli.demo.building import House
from troth.cli.demo.expected import Waits
from troth.cli.demo.staff import Desk
from troth.cli.demo.web import Browser, Reply
from troth.cli.words import CommandError
from troth.control.approvals import changes
from troth.control.audit.scope import Connection, within
from troth.rules.states import State

_change_re = re.compile(r"/changes/([0-9a-f-]{36})\Z")
_BEFORE = "Somebody over eighteen should be in; the engineer shows a card with a photograph."
_AFTER = "Somebody over eighteen should be in. The engineer shows a card with a photograph: look at it before you open."
_WHY = "Two tenants asked how they can tell who is at the door"
_COMMENT = "Good. Is it still true for the gas engineers, who come with the supplier's card?"
_HOURLY = "2500"
_SHOWN = "Our tenants ask us, not the platform: they should find what concerns them under our name"
LOOP_BY = "solveig.marchetti@operator.test"
LOOP = MappingProxyType({
    "provider": "Saltmarket Mail", "name": "saltmarket", "domains": "saltmarket.test", "sender": "fbl@saltmarket.test",
    "covers": "orders.lanterngrocers.test", "silent_days": "30", "evidence": "Your loop is active. Saltmarket Mail",
})  # fmt: skip
_LEFT = """
SELECT (SELECT count(*) FROM troth.change c WHERE c.tenant_id = %(firm)s AND c.state = 1),
       (SELECT count(*) FROM troth.change_comment k JOIN troth.change c ON c.id = k.change_id
        WHERE c.tenant_id = %(firm)s AND c.state = 1),
       (SELECT count(*) FROM troth.change_assignee a JOIN troth.change c ON c.id = a.change_id
        WHERE c.tenant_id = %(firm)s AND c.state = 1),
       (SELECT count(*) FROM troth.draft d WHERE d.tenant_id = %(firm)s AND d.change_id IS NULL),
       (SELECT count(*) FROM troth.review r WHERE r.tenant_id = %(firm)s AND r.closed_at IS NULL),
       (SELECT count(*) FROM troth.message m WHERE m.tenant_id = %(firm)s AND m.state = %(held)s),
       (SELECT count(*) FROM troth.pause p WHERE p.tenant_id = %(firm)s AND p.released_at IS NOT NULL),
       (SELECT count(*) FROM troth.api_key k WHERE k.tenant_id = %(firm)s AND k.revoked_at IS NULL
        AND k.expires_at < troth.now_v1() + interval '10 days'),
       (SELECT count(*) FROM troth.governed g WHERE g.tenant_id = %(firm)s AND g.kind = 'sign-on')
"""


class NotBegun(CommandError):  # noqa: N818 - reads as the sentence it raises
    """A page did not take what somebody of the cast typed into it."""


@dataclass(frozen=True, slots=True)
class Office:
    """The pages' address, and everybody's browser, signed in, by their address."""

    url: str
    browsers: Mapping[str, Browser]

    def open(self, who: str, path: str) -> Browser:
        browser = self.browsers[who]
        fine(browser.open(f"{self.url}{path}"), path)
        return browser


def begin(office: Office, houses: Mapping[str, House], connection: Connection) -> None:
    home, site = houses["property"], houses["construction"]
    _loop(office, connection)
    _template(office, home, connection)
    _policy(office, home)
    _review(office, site)
    _own_page(home, connection)


def left(houses: Mapping[str, House], connection: Connection) -> dict[str, Waits]:
    """What is there for each firm's people to look at, counted in the database."""
    found = {}
    for firm, house in houses.items():
        with within(connection, house.id):
            row = connection.execute(_LEFT, {"firm": house.id, "held": State.HELD}).fetchone()
        assert row is not None
        found[firm] = Waits(firm, *row)
    return found


def _template(office: Office, house: House, connection: Connection) -> None:
    """The firm's author writes a version and proposes it, and asks the approver to look; the admin has a question."""
    author = next(one.person.address for one in house.colleagues if one.person.role == "author")
    subject = house.versions["template", "maintenance-visit"].subject
    browser = office.open(author, f"/templates/{subject}")
    draft = browser.follow(browser.press(f"/templates/{subject}/versions/1/draft"))
    fine(draft, "the template's draft")
    source = browser.typed("source")
    if _BEFORE not in source:
        raise NotBegun("The visit's template no longer says what its author wants to change.")
    done = browser.press("/templates/drafts/", source=source.replace(_BEFORE, _AFTER), do="propose", reason=_WHY)
    found = _change_re.search(done.headers.get("location", ""))
    if found is None:
        raise NotBegun(f"The template was not proposed: the page answers {done.status}.")
    fine(browser.follow(done), "the change")
    approver = house.approver.credential.account
    fine(browser.follow(browser.press(f"/changes/{found[1]}/ask", who=str(approver))), "asking the approver")
    desk = Desk(connection, house.author, house.approver, house.id)
    change = changes.find(connection, UUID(found[1]), (house.id,))
    changes.comment(connection, desk.proposer.session(connection), change, _COMMENT)


def _policy(office: Office, house: House) -> None:
    """A level of the firm's own, stricter than the promise, kept as a draft."""
    browser = office.open(house.author.person.address, "/policies/client/edit")
    fine(browser.follow(browser.press(**{"limits-tenant_hour": _HOURLY})), "the policy's draft")


def _review(office: Office, house: House) -> None:
    """Everybody and every key of the firm is on its list; nothing is decided yet."""
    browser = office.open(house.author.person.address, "/reviews")
    fine(browser.follow(browser.press("/reviews/begin")), "the access review")


def _own_page(house: House, connection: Connection) -> None:
    """The firm's part of the trust centre, under its own name, as two of its people chose."""
    desk = Desk(connection, house.author, house.approver, house.id)
    desk.govern("trust-page", "trust-page", {"shown": True}, _SHOWN)


def _loop(office: Office, connection: Connection) -> None:
    """A provider that confirmed a feedback loop: from here on its signed reports are believed."""
    browser = office.open(LOOP_BY, "/feedback-loops/new")
    today = changes.clock(connection).date()
    done = browser.press("", **LOOP, enrolled_on=f"{today}")
    if done.status != 302:
        raise NotBegun(f"The feedback loop was not added: the page answers {done.status}.")


def fine(answer: Reply, what: str) -> None:
    if answer.status != 200:
        raise NotBegun(f"The page of {what} answers {answer.status}.")
