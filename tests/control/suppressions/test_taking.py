"""The list as a file: all of it, as it is filtered, whatever is added meanwhile; addresses for whoever may see them."""

import csv
import io
import json

from tests.support import seeding
from tests.support.pages import join


def test_every_entry_of_the_list_is_in_the_file_and_no_other_clients(site):
    seeding.people(site.firm, 20)
    seeding.suppressions(site.firm, 2300)
    site.operator.database.fill("UPDATE suppression SET created_at = (SELECT max(created_at) FROM suppression)")
    site.operator.database.run(
        "SELECT suppress_v1(%s, '{1}', '{x}', %s, '{NULL}')",
        [site.firm.index("not@yours.example")],
        [site.other.tenant],
    )
    admin = site.visitor(site.member)
    answer = admin.get("/suppressions/export.csv")
    assert answer.status == 200
    got = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(got) == 2300 + 230
    assert len({(each["index"], each["reason"], each["source"], each["category"]) for each in got}) == len(got)
    assert site.firm.index("not@yours.example").hex() not in {each["index"] for each in got}
    assert any("@" in each["address"] for each in got)
    few = json.loads(admin.get("/suppressions/export.json?reason=complaint&sort=oldest").text)
    assert few["asked"] == {"reason": "complaint", "sort": "oldest"}
    assert {each["reason"] for each in few["entries"]} == {"complaint"}
    assert len(few["entries"]) == sum(each["reason"] == "complaint" for each in got)
    told = "SELECT count(*) FROM ledger_pending WHERE kind = 'access:suppression:export' AND tenant_id = %s"
    assert site.operator.admin.execute(told, (site.firm.tenant,)).fetchone()[0] == 2


def test_who_sees_no_addresses_takes_none(site):
    addresses = seeding.people(site.firm, 20)
    seeding.suppressions(site.firm, 60)
    auditor = site.visitor(join(site.operator, "A Uditor <auditor@operator.test>", "auditor"))
    auditor.get("/suppressions")
    auditor.post("/scope", client=str(site.firm.tenant))
    text = auditor.get("/suppressions/export.csv").text
    assert len(text.splitlines()) == 67
    assert not any(address in text for address in addresses)


def test_a_member_and_nonsense_get_no_file(site):
    assert (
        site.visitor(join(site.operator, "V Iewer <viewer@firm.test>", "viewer", site.firm.tenant, second=False))
        .get("/suppressions/export.csv")
        .status
        == 404
    )
    admin = site.visitor(site.member)
    for wrong in ("export.xml", "export.csv?reason=because", "export.csv?who=x", "export.csv?after=AAAA"):
        assert admin.get(f"/suppressions/{wrong}").status == 404, wrong
