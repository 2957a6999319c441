"""Registering from a page: it is the door that registers, with every look that a program's registration gets."""

import html
import re

import pytest
from tests.flow.submission.doors import add_system_tenant
from tests.support import platform
from tests.support.own_dns import OwnDns
from tests.support.platform import pages_key


@pytest.fixture
def sending(site, monkeypatch):
    soa = {"SOA": ["ns.example. host.example. 1 3600 600 86400 60"]}
    dns = OwnDns(
        {"example": soa, "home.example": {"MX": ["10 mx.home.example."]}, "mx.home.example": {"A": ["192.0.2.1"]}}
    )
    monkeypatch.setenv("TROTH_DNS_RESOLVERS", dns.address)
    add_system_tenant(site.operator, site.firm)
    made = platform.start(site)
    yield made
    made.stop()
    dns.stop()


def register(visitor, **fields):
    visitor.get("/recipients/new")
    answer = visitor.post("/recipients/new", **{"pathway": "confirmation-link", **fields})
    return answer.status, html.unescape(answer.text), answer.url


def test_a_person_registers_one_and_asks_them_again(site, sending):
    member, admin = site.visitor(site.member), site.operator.admin
    assert "This client has no key for the pages" in register(member, email="new@127.0.0.1.example")[1]
    pages_key(site)
    status, said, _ = register(member, email="new@nowhere")
    assert status == 422
    assert "nowhere" in said, "what was typed stays"
    assert re.search(r'id="f-email"[^>]*aria-invalid="true"', said), said
    status, said, _ = register(member, email="new@localhost.example", timezone="Mars/Olympus")
    assert status == 422
    assert "IANA" in said
    status, said, url = register(member, email="someone@home.example")
    assert (status, "/recipients/rcp_" in url) == (200, True), said
    assert "A mail asks them to confirm" in said
    assert "waits for an answer; asked by a program" in said
    kept = "SELECT count(*), min(pathway) FROM confirmation"
    assert admin.execute(kept).fetchone() == (1, "confirmation-link")
    path = url.removeprefix(site.url)
    again = member.post(f"{path}/ask")
    assert again.status == 200
    assert "asks them to confirm" in again.text
    query = "SELECT kind, count(*) FROM ledger_pending WHERE kind = 'access:recipient:view' GROUP BY 1"
    assert admin.execute(query).fetchone()[1] >= 1
