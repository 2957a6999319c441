"""The three records in a real browser, with what is in them, without, and with nonsense asked."""

from concurrent.futures import ThreadPoolExecutor

from tests.control.ledger.house import House
from tests.control.records.test_records import requests


def test_the_records_full_and_empty(look, site):
    requests(site, site.firm, 70)
    artefact = site.operator.admin.execute(
        "SELECT artefact::jsonb FROM snapshot WHERE subject = %s", (site.firm.template,)
    )
    changed = {**artefact.fetchone()[0], "subject": "Your rent, {{ name }}"}
    site.operator.govern("template", site.firm.tenant, "reminder", changed, site.firm.template)
    site.visitor().sign_in(site.member, "wrong")
    with ThreadPoolExecutor(1) as beside:  # the browser's driver keeps an event loop in this thread
        beside.submit(House(site.firm, site.folder).seal).result()
    admin = look(site.member)
    for log in ("changes", "access", "requests"):
        admin.look_at(f"/records/{log}", f"records-{log}")
        admin.look_at(f"/records/{log}?q=nothing-like-this", f"records-{log}-none")
    admin.go("/records/access?from=soon")
    admin.picture("records-fault")
    admin.console.clear()  # Chromium tells of every answer 422
    admin.go("/records/changes?kind=template")
    admin.page.get_by_role("link", name="Template reminder").first.click()
    admin.look_at(admin.page.url.removeprefix(site.url), "records-change")
    with admin.page.expect_download() as taken:
        admin.go("/records/changes")
        admin.page.get_by_role("link", name="CSV").click()
    assert taken.value.suggested_filename.startswith("troth-changes-")
