"""Changes in a real browser: the queue, each kind as a person reads it, refused to its author, approved by another."""

import base64
import re
import threading

import pytest
from tests.control.approvals.proposing import propose
from tests.support.firm import TEMPLATE, key_end, now
from tests.support.pages import join

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR

HTML = """<div style="font-family:sans-serif;padding:24px"><h1 style="color:#205e5a">Hello {{ name }},</h1>
<p>Your rent is due on <b>1 December</b>.</p>
<p style="background:#eef">After 8 December a late fee of 25.00 is added. If you think that it is wrong, reply.</p></div>"""
NEW = {**TEMPLATE, "subject": "Your rent, {{ name }}", "html": HTML, "text": "Dear {{ name }}, a late fee is added.",
       "schema": {"name": {"type": "string", "max_length": 200}, "fee": {"type": "number", "required": False}}}  # fmt: skip


@pytest.fixture
def author(site):
    return join(site.operator, "Tomas Brandl <tomas@firm.test>", "author", site.firm.tenant)


@pytest.fixture
def second(site):
    return join(site.operator, "Ines Falk <ines@firm.test>", "approver", site.firm.tenant)


def outside(work):
    """In a thread of its own: the browser's driver keeps an event loop in this one."""
    found = []
    one = threading.Thread(target=lambda: found.append(work()))
    one.start()
    one.join()
    return found[0]


def template(site, author):
    reason = "The new tenancy terms of 1 December require the late fee to be in the reminder."
    given = ("template", "reminder", NEW, site.firm.template)
    return outside(lambda: propose(site, author.account, *given, reason=reason))[0]


def test_refused_to_its_author_and_approved_by_the_second_person(look, site, author, second):
    change = template(site, author)
    tomas, ines = look(author), look(second)
    tomas.go(f"/changes/{change}")
    assert tomas.page.get_by_role("button", name="Approve").is_disabled()
    tomas.page.get_by_text("You proposed this, so a second person must approve it").first.wait_for()
    ines.go("/changes")
    ines.page.get_by_role("link", name=re.compile("^Review it")).click()
    frames = ines.page.frame_locator("iframe").first, ines.page.frame_locator("iframe").last
    frames[0].get_by_text("the rent is due").wait_for()
    frames[1].get_by_text("After 8 December a late fee").wait_for()
    ines.page.locator("#approve-form summary").click()
    dialog = ines.page.get_by_role("dialog")
    dialog.get_by_text("programs that name this template send the new text").wait_for()
    ines.picture("change-approving")
    dialog.get_by_label("Comment").fill("A fact of the contract, so the class stays.")
    dialog.get_by_role("button", name="Approve").click()
    ines.page.get_by_text("is in force.").first.wait_for()
    ines.page.get_by_text("Ines Falk approved it and put it in force").wait_for()
    ines.picture("change-approved")
    assert not ines.console, ines.console


def test_rejected_without_script_too(look, site, author, second):
    change = template(site, author)
    ines = look(second, scripts=False)
    ines.go(f"/changes/{change}")
    ines.page.locator("#close-form summary").click()
    ines.page.locator("#close-form").get_by_role("button", name="Reject").click()
    ines.page.get_by_text("Say why you reject it").first.wait_for()
    assert ines.page.locator("#close-form").get_attribute("open") is not None
    ines.page.get_by_label("Reason").fill("The fee is not in the contract.")
    ines.page.locator("#close-form").get_by_role("button", name="Reject").click()
    ines.page.get_by_text("“The fee is not in the contract.”").wait_for()


def kinds(site):
    """(kind, code, artefact, subject, tenant) of each kind that a person decides."""
    firm = site.firm
    wrapped = site.operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    keys, account = site.operator.keyring.tenant(OPERATOR, wrapped), uuid7(now())
    name = keys.seal(b"Marguerite Alder-Quillbrook", places.account(account, "name"))
    sealed = base64.b64encode(name).decode()
    grant = {"human": str(uuid7(now())), "role": "approver", "name_ct": sealed, "address_ct": sealed,
             "address_index": "ab" * 32}  # fmt: skip
    pause = site.operator.admin.execute(
        "SELECT pause_v1(ARRAY[%s]::uuid[], 'stop-delivery', 'A wave of complaints', 'Emeka')", (firm.tenant,)
    ).fetchone()[0][0]
    site.operator.admin.execute(
        "SELECT suppress_v1(%s, '{1}', '{bounce}', %s, '{NULL}')", ([b"\x07" * 32], [firm.tenant])
    )
    numbers = {"limits": {"tenant_hour": 200, "recipient_template_day": 2}, "governance": {"approvers": 2},
               "anomaly": {"percent": 150}}  # fmt: skip
    rent = {"name": "Rent and what goes with it", "purpose": "Tells a tenant what is to pay, and by when",
            "sender": {"name": "Firm firm", "address": f"rent@{firm.name}"}, "legal_class": "transactional",
            "lawful_basis": "contract", "raw": False, "policy": {"limits": {"template_hour": 100}}}  # fmt: skip
    key = {"name": "archive import", "prefix": "troth_a_3kTz", "hash": "cd" * 32, "categories": ["rent"], "mode": "test",
           "expires_at": key_end(), "policy": {}, "networks": ["203.0.113.0/24"]}  # fmt: skip
    saml = {"domains": ["firm.test"], "saml": {"entity_id": "https://idp.firm.test/metadata",
            "sso_url": "https://idp.firm.test/sso", "certificates": [sealed]}, "enforced": True}  # fmt: skip
    return [
        ("policy", "tenant", numbers, None, firm.tenant),
        ("category", "rent", rent, firm.category, firm.tenant),
        ("grant", f"account-{account.hex}", grant, account, firm.tenant),
        ("domain", "news.firm.example", {"name": "news.firm.example", "selector": "s2"}, None, firm.tenant),
        ("api-key", "archive", key, None, firm.tenant),
        ("override", "exception", {"blind_index": "07" * 32, "expires_at": key_end(2)}, None, firm.tenant),
        ("release", str(pause), {}, pause, firm.tenant),
        ("designation", "designation", {"accounts": [str(site.member.account)]}, None, firm.tenant),
        ("sign-on", "sign-on", saml, None, firm.tenant),
    ]


SAYS = {
    "policy": "3 rules change, none of them looser.",
    "category": "“Rent and what goes with it” is as the right column says.",
    "grant": "Marguerite Alder-Quillbrook becomes approver of Firm firm.",
    "domain": "The client’s mail may come from news.firm.example.",
    "api-key": "A key for “archive import”.",
    "override": "this client’s mail may go to one address that is suppressed after all.",
    "release": "The stop of Firm firm is lifted.",
    "designation": "Marguerite Alder alone may write templates and rules for this client.",
    "sign-on": "People with addresses of firm.test sign on with their firm’s own provider.",
}


def test_each_kind_is_shown_as_a_person_wants_to_see_it(look, site):
    proposed = {}

    def all_of_them():
        for kind, code, artefact, subject, tenant in kinds(site):
            proposed[kind] = propose(site, site.staff.account, kind, code, artefact, subject, tenant=tenant)[0]
        return

    outside(all_of_them)
    member = look(site.member)
    for kind, change in proposed.items():
        member.look_at(f"/changes/{change}", f"change-{kind}")
        assert SAYS[kind] in member.page.locator("main").inner_text(), kind
    member.look_at("/changes", "changes")


def test_the_queue_and_a_template_in_both_widths_and_colours(look, site, author, second):
    change = template(site, author)
    ines = look(second)
    ines.look_at("/changes", "changes-mine")
    ines.look_at(f"/changes/{change}", "change-template")
    ines.look_at(f"/changes/{change}?as=phone", "change-template-phone")
    ines.look_at("/changes?kind=domain", "changes-nothing-found")
    look(site.staff).look_at("/changes", "changes-staff")
