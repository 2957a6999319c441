"""Every page that can be looked at, at its address in a house with volume: the URL map's own list (tests/browser), more
deep pages and filters.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from tests.browser.every_page import PAGES, Act, Elsewhere
from tests.browser.page_world import MAKERS
from tests.support.firm import now
from tests.support.pages import Site, Visitor
from tests.support.seeding_house import House

from troth.keys.ids import uuid7

# what the list's addresses name, made by its own makers where people make it, or found
MADE = ("category_draft", "webhook", "policy", "factor", "stop", "confirm", "password", "nothing")
_OURS = "FROM {table} WHERE tenant_id = %(firm)s"
FOUND = {
    "template": "SELECT md5(%(firm)s::text || 'template' || 7)::uuid",
    "category": f"SELECT subject {_OURS.format(table='governed')} AND kind = 'category' ORDER BY code LIMIT 1",
    "domain": f"SELECT domain_id {_OURS.format(table='domain_state')} LIMIT 1",
    "key": f"SELECT id {_OURS.format(table='api_key')} AND expires_at > now_v1() + interval '60 days' ORDER BY id LIMIT 1",
    "change": f"SELECT id {_OURS.format(table='change')} AND state = 1 AND kind = 'template' ORDER BY id LIMIT 1",
    "long_change": f"SELECT id {_OURS.format(table='change')} AND state = 1 AND kind = 'template' ORDER BY id DESC LIMIT 1",
    "person": f"SELECT id {_OURS.format(table='account')} ORDER BY id LIMIT 1",
    "colleague": "SELECT subject FROM review_item i JOIN review r ON r.id = i.review_id WHERE i.tenant_id = %(firm)s AND r.closed_at IS NULL"
    " AND i.kind = 'person' AND NOT EXISTS (SELECT FROM review_decision d WHERE d.review_id = r.id AND d.subject = i.subject) LIMIT 1",
    "review": f"SELECT id {_OURS.format(table='review')} AND closed_at IS NULL",
    "entry": f"SELECT max(index) {_OURS.format(table='ledger_leaf')}",
    "governed": f"SELECT max(index) {_OURS.format(table='ledger_leaf')} AND kind LIKE 'governance:change:%%'",
    "message": f"SELECT 'msg_a_' || replace(id::text, '-', '') {_OURS.format(table='message')} AND state = 6 ORDER BY id DESC LIMIT 1",
    "draft": f"SELECT id {_OURS.format(table='draft')} AND kind = 'template' ORDER BY id LIMIT 1",
    **{f"approved_{kind}": f"SELECT id {_OURS.format(table='change')} AND state = 2 AND kind = '{kind.replace('_', '-')}' ORDER BY id LIMIT 1"
       for kind in ("template", "category", "domain", "api_key", "grant")},
    "deep_message": f"SELECT 'msg_a_' || replace(id::text, '-', '') {_OURS.format(table='message')} ORDER BY id OFFSET 1000 LIMIT 1",
    "account": f"SELECT proposer_account {_OURS.format(table='change')} GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
    "deep_entry": f"SELECT index {_OURS.format(table='ledger_leaf')} ORDER BY index OFFSET 5000 LIMIT 1",
    "deep_change": "SELECT index FROM ledger_leaf WHERE tenant_id = %(firm)s AND kind LIKE 'governance:change:%%' ORDER BY at OFFSET 500 LIMIT 1",
    "deep_access": f"SELECT id {_OURS.format(table='access_log')} ORDER BY id OFFSET 1000 LIMIT 1",
    "deep_request": f"SELECT id {_OURS.format(table='api_request')} ORDER BY id OFFSET 1000 LIMIT 1",
    "deep_person": f"SELECT id {_OURS.format(table='account')} ORDER BY id OFFSET 20 LIMIT 1",
    "decided": f"SELECT ((extract(epoch FROM decided_at) * 1000000)::bigint || '-' || id) {_OURS.format(table='change')} AND state <> 1"
    " ORDER BY decided_at OFFSET 50 LIMIT 1",
    "closed_review": f"SELECT id {_OURS.format(table='review')} AND closed_at IS NOT NULL LIMIT 1",
    "place": f"SELECT encode(place, 'hex') {_OURS.format(table='access_log')} AND place IS NOT NULL LIMIT 1",
}  # fmt: skip
MORE = (
    "/messages?after={deep_message}", "/messages?before={deep_message}", "/messages?state=bounced", "/messages?state=expired",
    "/messages?state=delivered", "/messages?state=queued", "/messages?state=complained", "/messages?category=rent",
    "/messages?category=notice-7", "/messages?category=notice-7&state=failed", "/messages?from={day}&to={day}",
    "/messages?category=notice-7&from={day}&to={day}", "/messages?email=em_a_{new}", "/suppressions?reason=complaint",
    "/categories?q=notice", "/templates?after=template-270", "/templates?q=299", "/templates/{template}/compare?from=1&to=20",
    "/changes?kind=template", "/changes?state=approved", "/changes?state=rejected", "/changes?author={account}",
    "/changes?before={decided}", "/people?state=all", "/people?state=unused", "/people?role=viewer", "/people?before={deep_person}",
    "/reviews/{closed_review}", "/ledger?before={deep_entry}", "/ledger?looks=with", "/ledger?seals=with",
    "/records/changes?before={deep_change}", "/records/changes?kind=policy", "/records/changes?q=nothing+like+it",
    "/records/changes?person={account}", "/records/changes?from={day}&to={day}", "/records/access?before={deep_access}",
    "/records/access?status=bad", "/records/access?person={account}", "/records/access?place={place}",
    "/records/access?q=nothing", "/records/access?kind=locked", "/records/requests?before={deep_request}",
    "/records/requests?status=5", "/records/requests?key={key}", "/records/requests?q=nothing", "/records/requests?from={day}&to={day}",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """`name`: the address as a pattern; `path`: in this house."""

    name: str
    path: str


def listed(site: Site, house: House) -> list[Page]:
    """What MEMBER or STAFF_AT, STAFF and nobody are asked for; whoever may not have one is answered at once."""
    given = {name: MAKERS[name](site) for name in MADE}
    for name, query in FOUND.items():
        found = site.operator.admin.execute(query, {"firm": house.firm.tenant}).fetchone()
        assert found is not None, name
        given[name] = str(found[0])
    given |= {"tenant": str(house.firm.tenant), "other": str(house.clients[1])}
    given |= {"day": f"{now() - timedelta(days=20):%Y-%m-%d}", "new": uuid7(now()).hex}
    patterns = dict.fromkeys([*_patterns(), *MORE])
    return [Page(pattern, pattern.format_map(given)) for pattern in patterns]


def _patterns() -> Iterator[str]:
    """Exports are measured by themselves, whole."""
    for row in PAGES.values():
        for each in row if isinstance(row, list) else [row]:
            if not isinstance(each, Act | Elsewhere) and "export." not in each.path:
                yield each.path


def searched(site: Site, visitor: Visitor) -> list[Page]:
    """What somebody looks for by a form leads to an address of its own."""
    found = []
    for name, path, q in (("messages by address", "/messages", "tenant77@example.net"),
                          ("suppressions by address", "/suppressions", "tenant77@example.net"),
                          ("accesses by place", "/records/access", "192.0.2.77")):  # fmt: skip
        visitor.get(path)
        found.append(Page(name, visitor.post(f"{path}/find", q=q).url.removeprefix(site.url)))
    return found
