"""Show 2, the whole way of a template in a real Chromium: written, looked at, proposed, refused to its author, approved by
a second person, and sent: as a test from the page and by a program, through a real door and worker into a real mailbox.
"""

import email
import email.policy
import json
import re
import urllib.request

import pytest
from tests.support import platform
from tests.support.firm import key_end
from tests.support.pages import join
from tests.support.platform import pages_key

from troth.keys.api_keys import make_key
from troth.keys.ids import wire
from troth.mail.footer import WHY, Footer, under
from troth.mail.render import Compiled, RenderLimits, TemplateSource

BODY = """<mjml>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text font-size="18px">Hello {{ name }},</mj-text>
        <mj-text>{% if late %}Your rent is late.{% else %}Your rent is due.{% endif %}</mj-text>
        <mj-table><tbody>{% for line in lines %}<tr><td>{{ line.what }}</td><td>{{ line.sum|decimal }}</td></tr>{% endfor %}</tbody></mj-table>
        <mj-button href="{{ link }}" background-color="#205e5a">See my account</mj-button>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>"""
SCHEMA = """{"name": {"type": "string"}, "late": {"type": "boolean"}, "link": {"type": "url"}, "lines": {"type": "list",
"items": {"type": "object", "properties": {"what": {"type": "string"}, "sum": {"type": "number"}}}}}"""
SAM = {"name": "Sam", "late": False, "link": "https://account.example/",
       "lines": [{"what": "Flat 4, 12 Alder Row", "sum": 940}, {"what": "Service charge", "sum": 62}]}  # fmt: skip
RUTH = {"name": "Ruth", "late": True, "link": "https://account.example/ruth",
        "lines": [{"what": "Garage 7", "sum": 55.5}]}  # fmt: skip
FORCE = """
SELECT s.version, s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id WHERE g.kind = 'template' AND g.subject = %s
"""


@pytest.fixture
def sending(site):
    made = platform.start(site)
    yield made
    made.stop()


def in_force(site):
    version, artefact = site.operator.admin.execute(FORCE, (site.firm.template,)).fetchone()
    return version, json.loads(artefact)


class Walk:
    """Numbered pictures, so that the folder tells the story in its order; in a window as high as the page, since frames
    outside of a window are not drawn.
    """

    def __init__(self):
        self.number = 0

    def picture(self, looker, name):
        self.number += 1
        looker.page.set_viewport_size({"width": 1440, "height": 900})
        height = looker.page.evaluate("document.scrollingElement.scrollHeight")
        looker.page.set_viewport_size({"width": 1440, "height": min(max(height, 900), 4000)})
        looker.page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))")
        looker.picture(f"written-and-sent-{self.number:02}-{name}")


def write(page):
    """Over what is in force, which the editor begins with."""
    page.get_by_label("Written in").select_option("mjml")
    page.get_by_label("Subject", exact=True).fill("Your rent, {{ name }}")
    page.get_by_label("Preview line").fill("What is to pay, and how to dispute it")
    page.get_by_text("Variables and samples").click()
    page.get_by_label("Variables", exact=True).fill(SCHEMA)
    page.get_by_label("Samples").fill(json.dumps([SAM]))
    page.get_by_label("Text part").fill("")
    page.get_by_label("Body").fill(BODY)


def preview(author, walk):
    page = author.page
    frame = page.frame_locator("iframe[name=preview]")
    frame.get_by_text("Service charge").wait_for()
    page.locator("#panel").get_by_text("Sound").wait_for()
    walk.picture(author, "desktop")
    page.get_by_role("group", name="Preview as").get_by_text("Phone", exact=True).click()
    frame.get_by_text("Hello Sam,").wait_for()
    narrow = "document.querySelector('iframe[name=preview]').getBoundingClientRect().width <= 420"
    page.wait_for_function(narrow)
    walk.picture(author, "phone")


def propose(author, walk):
    page = author.page
    page.get_by_label("Why").fill("Tenants asked for the sums")
    page.get_by_role("button", name="Propose", exact=True).click()
    page.wait_for_url(re.compile("/changes/"))
    walk.picture(author, "proposed")
    return page.url.removeprefix(author.site.url)


def refused_to_its_author(author, waits, walk):
    """By the page, and by the database where somebody sends the form all the same; then it is still the old one."""
    page, site = author.page, author.site
    assert page.get_by_role("button", name="Approve", exact=True).is_disabled()
    digest = page.locator("#digest").inner_text().strip()
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    page.evaluate(
        """([to, token, digest]) => {
            const form = document.createElement("form");
            form.method = "post"; form.action = to;
            for (const [name, value] of [["csrfmiddlewaretoken", token], ["digest", digest]]) {
                const field = document.createElement("input");
                field.type = "hidden"; field.name = name; field.value = value; form.append(field);
            }
            document.body.append(form); form.submit();
        }""",
        [f"{waits}/approve", token, digest],
    )
    page.wait_for_url(f"**{waits}/approve")
    said = page.locator("#faults").inner_text()
    walk.picture(author, "refused-to-its-author")
    assert "second person" in said, said
    assert site.operator.admin.execute("SELECT count(*) FROM approval a JOIN change c ON c.id = a.change_id"
                                       " WHERE c.subject = %s AND c.state = 1", (site.firm.template,)).fetchone() == (0,)  # fmt: skip
    assert in_force(site)[0] == 1


def approve(second, waits, walk):
    page = second.page
    second.go("/changes")
    page.get_by_role("link", name=re.compile("^Review it")).click()
    page.wait_for_url(f"**{waits}")
    before, after = page.frame_locator("iframe").first, page.frame_locator("iframe").last
    before.get_by_text("the rent is due").wait_for()
    after.get_by_text("Service charge").wait_for()
    walk.picture(second, "two-pictures")
    page.locator("#approve-form summary").click()
    page.get_by_role("dialog").get_by_role("button", name="Approve", exact=True).click()
    page.get_by_text("is in force.").first.wait_for()
    walk.picture(second, "approved")


def ask_for_a_test(author, walk):
    """Asks for a test of what is approved."""
    page = author.page
    author.go("/templates")
    page.get_by_role("link", name="reminder", exact=True).click()
    page.get_by_text("Send a test to me").click()
    walk.picture(author, "test-asked")
    page.get_by_role("dialog").get_by_role("button", name="Send it").click()
    page.get_by_text("The test is on its way to your own address").wait_for()
    walk.picture(author, "test-on-its-way")


def by_program(site, sending, to, variables):
    """POST /emails as a client's own program does it; the email's id."""
    key = make_key("a")
    site.operator.govern("api-key", site.firm.tenant, "program", {
        "name": "program", "prefix": key.prefix, "hash": key.hash.hex(), "categories": ["rent"], "expires_at": key_end(),
        "policy": {}})  # fmt: skip
    mail = {"to": [to], "template": {"id": "reminder", "variables": variables}}
    headers = {"Authorization": f"Bearer {key.text}", "Content-Type": "application/json"}
    asked = urllib.request.Request(f"{sending.door}/emails", json.dumps(mail).encode(), headers)
    with urllib.request.urlopen(asked, timeout=20) as answer:
        return json.loads(answer.read())["id"]


def as_approved(artefact, octets, variables):
    """The mail's parts and subject are what the approved bytes make of these values, with who sends it under them."""
    mail = email.message_from_bytes(octets, policy=email.policy.default)
    made = Compiled(TemplateSource(artefact["subject"], artefact["html"], artefact["text"])).render(
        variables, RenderLimits()
    )
    shown = mail.get_body(("html",)).get_content(), mail.get_body(("plain",)).get_content()
    sender, why, link = shown[1].strip().splitlines()[-3:]
    firm, _, address = sender.partition(", ")
    assert (address, why) == ("1 Test Street", f"{WHY}:")
    made = under(made, Footer(firm, address, link))
    assert mail["Subject"] == made.subject
    assert [lines(each) for each in shown] == [lines(made.html), lines(made.text)]


def lines(text):
    return text.replace("\r\n", "\n").rstrip("\n")


def of_message(looker, name, says, walk):
    """The newest message's page: in whose version, what happened, and what went out."""
    page, site = looker.page, looker.site
    ref = site.operator.admin.execute("SELECT id FROM message ORDER BY id DESC LIMIT 1").fetchone()[0]
    looker.go(f"/messages/{wire('msg', 'a', ref)}")
    page.get_by_role("link", name="reminder v2").wait_for()
    page.get_by_role("heading", name=says).wait_for()
    walk.picture(looker, name)


def test_written_previewed_refused_to_its_author_approved_and_sent(look, site, sending):
    tomas = join(site.operator, "Tomas Brandl <tomas@firm.test>", "approver", site.firm.tenant)
    mia = join(site.operator, "Mia Second <mia@firm.test>", "approver", site.firm.tenant)
    for address in (tomas.address, "ruth@home.example"):
        site.firm.person(address)
    pages_key(site)
    author, second, walk = look(tomas), look(mia), Walk()
    author.go(f"/templates/{site.firm.template}")
    walk.picture(author, "in-force")
    author.page.get_by_role("button", name="Edit as a new version").click()
    author.page.wait_for_url(re.compile("/templates/drafts/"))
    write(author.page)
    preview(author, walk)
    waits = propose(author, walk)
    refused_to_its_author(author, waits, walk)
    approve(second, waits, walk)
    version, artefact = in_force(site)
    assert (version, artefact["source"]["body"]) == (2, BODY)
    ask_for_a_test(author, walk)
    (test,) = sending.await_mail(tomas.address)
    as_approved(artefact, test, SAM)
    of_message(author, "test-as-a-message", "Your rent, Sam", walk)
    by_program(site, sending, "ruth@home.example", RUTH)
    (mail,) = sending.await_mail("ruth@home.example")
    as_approved(artefact, mail, RUTH)
    of_message(author, "program-mail-as-a-message", "Your rent, Ruth", walk)
    (refused,) = author.console  # the answer to the form that was sent all the same
    assert "422" in refused
    assert not second.console
