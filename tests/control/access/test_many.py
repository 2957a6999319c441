"""Thousands of people: pages without a gap, a search that stays quick and says where it stopped, a review in pages."""

import re
import time
from datetime import timedelta

from troth.control.people.permissions import CLIENT_ROLES
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR


def many(site, n):
    """People of the firm, named "Person 1" and so on; the newest has the highest number."""
    operator, now = site.operator, site.operator.admin.execute("SELECT now_v1()").fetchone()[0]
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys, made = operator.keyring.tenant(OPERATOR, wrapped), []
    for number in range(n):
        account = uuid7(now - timedelta(milliseconds=n - number))
        made.append((account, account, site.firm.tenant, CLIENT_ROLES[number % 5], keys.seal(f"Person {number}".encode(), places.account(account, "name")),
                     keys.seal(f"p{number}@firm.test".encode(), places.account(account, "address")), account.bytes * 2))  # fmt: skip
    with operator.database.filler() as filler, filler.cursor() as cursor:
        cursor.executemany("INSERT INTO human VALUES (%s, now_v1())", [(each[0],) for each in made])
        cursor.executemany("INSERT INTO account (id, human_id, tenant_id, role, name_ct, address_ct, address_index, created_at)"
                           " VALUES (%s, %s, %s, %s, %s, %s, %s, now_v1())", made)  # fmt: skip
        cursor.execute("ANALYZE account")


def names(text):
    return re.findall(r'<a href="/people/[0-9a-f-]{36}">([^<]+)</a>', text)


def test_every_person_is_on_one_page_and_a_search_is_quick(site):
    many(site, 2300)
    visitor = site.visitor(site.member)
    seen, path = [], "/people?role=viewer"
    while path:
        text = visitor.get(path).text
        seen += names(text)
        found = re.search(r'rel="next" href="([^"]+)"', text)
        path = found[1].replace("&amp;", "&") if found else ""
    assert len(seen) == len(set(seen)) == 460
    spent = []
    for query in ("/people", "/people?q=person+2234&state=all", "/people?state=closed", "/people?state=unused"):
        began = time.perf_counter()
        text = visitor.get(query).text
        spent.append(time.perf_counter() - began)
    assert names(visitor.get("/people?q=person+2234&state=all").text) == ["Person 2234"]
    text, turns = visitor.get("/people?q=person+77&state=all").text, 0
    while "Nobody among the next 1,000" in text:
        text, turns = (
            visitor.get(re.search(r'rel="next" href="([^"]+)"', text)[1].replace("&amp;", "&")).text,
            turns + 1,
        )
    assert (turns, "Person 770" in text) == (1, True)
    assert min(spent[0], spent[1]) < 1, spent  # a loose bound for a busy machine
    print(f"pages of 2,300 people: {[round(each * 1000) for each in spent]} ms")


def test_a_review_of_many_is_in_pages(site):
    many(site, 450)
    visitor = site.visitor(site.member)
    visitor.get("/reviews")
    page = visitor.post("/reviews/begin")
    seen, path = [], page.url.removeprefix(site.url)
    while path:
        text = visitor.get(path).text
        seen += re.findall(r'aria-label="Confirm ([^"]+)"', text)
        found = re.search(r'rel="next" href="([^"]+)"', text)
        path = found[1] if found else ""
    assert len(seen) == len(set(seen)) == 451  # everybody but oneself, and the firm's key
