"""A template written in a real browser: typed, looked at while typing, proposed, refused to its author, approved, sent."""

import re

import pytest
from tests.support.pages import join

BODY = """<mjml>
  <mj-head><mj-style>@media (prefers-color-scheme: dark) { .note { color: #ffffff } }</mj-style></mj-head>
  <mj-body>
    <mj-section>
      <mj-column>
        <mj-text css-class="note" font-size="18px">Hello {{ name }},</mj-text>
        <mj-text>{% if late %}Your rent is late.{% else %}Your rent is due.{% endif %}</mj-text>
        <mj-table><tbody>{% for line in lines %}<tr><td>{{ line.what }}</td><td>{{ line.sum|decimal }}</td></tr>{% endfor %}</tbody></mj-table>
        <mj-button href="{{ link }}" background-color="#205e5a">See my account</mj-button>
      </mj-column>
    </mj-section>
  </mj-body>
</mjml>"""
SCHEMA = """{"name": {"type": "string"}, "late": {"type": "boolean"}, "link": {"type": "url"}, "lines": {"type": "list",
"items": {"type": "object", "properties": {"what": {"type": "string"}, "sum": {"type": "number"}}}}}"""
SAMPLE = """[{"name": "Sam", "late": false, "link": "https://account.example/",
"lines": [{"what": "Flat 4, 12 Alder Row", "sum": 940}, {"what": "Service charge", "sum": 62}]}]"""


@pytest.fixture
def author(site):
    """Somebody who could approve another's words."""
    return join(site.operator, "Tomas Brandl <tomas@firm.test>", "approver", site.firm.tenant)


def in_force(site):
    query = "SELECT s.version FROM governed g JOIN snapshot s ON s.id = g.snapshot_id WHERE g.code = 'rent-due'"
    found = site.operator.admin.execute(query).fetchone()
    return found[0] if found else None


def write(page, body=BODY):
    page.get_by_label("Code", exact=True).fill("rent-due")
    page.get_by_label("Category").select_option("rent")
    page.get_by_label("Subject", exact=True).fill("Your rent, {{ name }}")
    page.get_by_label("Preview line").fill("What is to pay, and how to dispute it")
    page.get_by_text("Variables and samples").click()
    page.get_by_label("Variables", exact=True).fill(SCHEMA)
    page.get_by_label("Samples").fill(SAMPLE)
    page.get_by_label("Body").fill(body)


@pytest.fixture
def approver(site):
    return join(site.operator, "Mia Second <mia@firm.test>", "approver", site.firm.tenant)


def test_written_looked_at_proposed_and_approved_by_another(look, site, author, approver):
    tomas = look(author)
    page = tomas.page
    tomas.go("/templates/new")
    write(page)
    frame = page.frame_locator("iframe[name=preview]")
    frame.get_by_text("Hello Sam,").wait_for()
    frame.get_by_text("Service charge").wait_for()
    page.get_by_text("KB that Gmail shows whole").wait_for()
    page.get_by_text("Your rent, Sam").wait_for()
    ways = page.get_by_role("group", name="Preview as")
    words = {"Phone": "Hello Sam,", "Dark": "Hello Sam,", "Text": "See my account <https://account.example/>",
             "Source": "{% for line in lines %}"}  # fmt: skip
    for way, said in words.items():
        ways.get_by_text(way, exact=True).click()
        frame.get_by_text(said).first.wait_for()
        tomas.picture(f"template-editor-{way.lower()}")
    ways.get_by_text("Desktop", exact=True).click()
    page.get_by_label("Body").fill(BODY.replace("{{ name }}", "{{ nmae }}"))
    page.locator("#panel").get_by_text("Line 6: The schema has no variable nmae; it has name.").wait_for()
    page.get_by_label("Body").fill(BODY)
    page.locator("#panel").get_by_text("Sound").wait_for()
    tomas.picture("template-editor-typed")
    assert not tomas.console, tomas.console
    page.get_by_label("Why").fill("Tenants asked for the sums")
    page.get_by_role("button", name="Propose", exact=True).click()
    page.wait_for_url(re.compile("/changes/"))
    waits = page.url.removeprefix(site.url)
    assert page.get_by_role("button", name="Approve", exact=True).is_disabled()
    tomas.picture("template-proposed")
    token = page.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    digest = site.operator.admin.execute("SELECT encode(digest, 'hex') FROM change WHERE code = 'rent-due'").fetchone()[
        0
    ]
    page.request.post(
        f"{site.url}{waits}/approve",
        form={"csrfmiddlewaretoken": token, "digest": digest},
        headers={"Referer": site.url + waits, "Origin": site.url},
    )
    assert in_force(site) is None
    mia = look(approver)
    mia.go(waits)
    mia.page.locator("details.ask summary", has_text="Approve").click()
    mia.page.locator("dialog[open]").get_by_role("button", name="Approve", exact=True).click()
    mia.page.wait_for_load_state()
    mia.picture("template-approved")
    assert in_force(site) == 1
    tomas.go("/templates")
    page.get_by_role("link", name="rent-due").click()
    tomas.look_at(page.url.removeprefix(site.url), "template-written")


def test_the_editor_works_without_script(look, site, author):
    tomas = look(author, scripts=False)
    page = tomas.page
    tomas.go("/templates/new")
    for name in ("Variables and samples",):
        page.get_by_text(name).click()
    page.get_by_label("Code", exact=True).fill("rent-due")
    page.get_by_label("Category").select_option("rent")
    page.get_by_label("Subject", exact=True).fill("Your rent, {{ name }}")
    page.get_by_role("button", name="Preview").click()
    page.frame_locator("iframe[name=preview]").get_by_text("Hello Sam,").wait_for()
    page.get_by_role("button", name="Save draft").click()
    page.wait_for_url(re.compile("/templates/drafts/"))
    assert "Saved as revision 1" in page.content()


def test_drafts_and_comparing_and_categories_look_right(look, site, author):
    tomas = look(author)
    tomas.go("/templates/new")
    write(tomas.page)
    tomas.page.get_by_role("button", name="Save draft").click()
    tomas.page.wait_for_url(re.compile("/templates/drafts/"))
    tomas.look_at(tomas.page.url.removeprefix(site.url), "template-draft")
    tomas.look_at("/templates/drafts", "template-drafts")
    from tests.support.firm import TEMPLATE

    changed = {**TEMPLATE, "html": "<p>Dear {{ name }}, the rent is <b>late</b>.</p>", "subject": "Rent is late"}
    site.operator.govern("template", site.firm.tenant, "reminder", changed, site.firm.template)
    tomas.look_at(f"/templates/{site.firm.template}/compare?a=1&b=2", "template-compare")
    tomas.look_at("/categories", "categories")
    tomas.look_at(f"/categories/{site.firm.category}", "category")
    tomas.look_at(f"/categories/{site.firm.category}/edit", "category-edit")
