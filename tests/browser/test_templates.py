"""Templates in a real browser: a thousand of them, one with its versions, and a preview that can do nothing."""

from tests.browser import seeding
from tests.support.firm import TEMPLATE

HTML = """<html><head><style>p{color:#123456} .button{padding:8px}</style></head><body style="margin:0;background:#eeeeee">
<table width="100%" bgcolor="#ffffff"><tr><td style="padding:24px;font-family:sans-serif">
<p style="color:#aa0000">Dear {{ name }}, the rent is due.</p><a class="button" href="https://evil.example/">Pay</a>
<img src="https://evil.example/pixel.gif" alt="A tree"></td></tr></table></body></html>"""


def test_a_thousand_templates_and_one(look, site):
    seeding.templates(site, 1000)
    seeding.propose(site, "reminder-of-something", seeding.LONG)
    for n in range(3):
        artefact = {
            **TEMPLATE,
            "html": HTML.replace("rent", f"rent ({n})"),
            "text": "Dear {{ name }}, the rent is due.",
        }
        site.operator.govern("template", site.firm.tenant, "reminder", artefact, site.firm.template)
    member = look(site.member)
    member.look_at("/templates", "templates")
    member.look_at("/templates?q=very-long", "templates-search")
    member.look_at("/templates?q=nobody", "templates-none")
    member.page.get_by_label("Code, or a part of it").fill("reminder")
    member.page.get_by_role("button", name="Search").click()
    member.page.get_by_role("link", name="reminder", exact=True).click()
    path = member.page.url.removeprefix(site.url)
    asked = []
    member.page.on("requestfinished", lambda request: asked.append(request.url))
    member.page.reload()
    frame = member.page.frame_locator("iframe")
    colour = frame.locator("p").evaluate("element => getComputedStyle(element).color", timeout=5000)
    assert colour == "rgb(170, 0, 0)"
    assert frame.locator("a").evaluate("element => getComputedStyle(element).paddingTop") == "8px"
    assert not [url for url in asked if "evil" in url]
    member.console.clear()  # the picture that was not fetched
    member.page.get_by_text("HTML as it is sent").click()
    member.picture("template-open")
    assert path


def test_staff_choose_a_client_first(look, site):
    staff = look(site.staff)
    staff.look_at("/templates", "templates-choose")
    staff.page.get_by_role("main").get_by_role("button", name="Firm firm").click()
    assert staff.page.url == f"{site.url}/templates"
    staff.page.get_by_role("link", name="reminder").click()
    staff.look_at(staff.page.url.removeprefix(site.url), "template")
