"""A file of suppressions before its second person: the client's own approver is told why they are not the one; of a file
of recipients they are.
"""

from tests.control.approvals.proposing import propose
from tests.support.pages import join

from troth.control.suppressions.exports.forms import FORMS, NARROW, PARTLY, Left


def test_the_clients_own_approver_is_told_that_the_operator_approves(site):
    approver = join(site.operator, "A Pprover <approver@firm.test>", "approver", site.firm.tenant)
    for of, theirs in (("suppressions", False), ("recipients", True)):
        artefact = {"of": of, "file": "f.csv", "sha256": "0" * 64, "rows_sha256": "0" * 64, "source": "Their own export",
                    "lines": 1, "rows": 1, "left_out": 0, "repeated": 0, "options": {}}  # fmt: skip
        change, _ = propose(site, site.member.account, "import", of, artefact)
        page = site.visitor(approver).get(f"/changes/{change}").text
        assert ("so somebody of the operator approves this" in page) is not theirs
        assert ("the client’s own admin or approver" in page) is theirs
        assert (f'action="/changes/{change}/approve"' in page) is theirs
        assert "so somebody of the operator" not in site.visitor(site.staff).get(f"/changes/{change}").text


def test_what_was_chosen_is_told_in_the_forms_words_and_only_where_it_matters(site):
    approver = site.visitor(site.staff)
    approver.get("/clients")
    approver.post("/scope", client=str(site.firm.tenant))
    told = {}
    for n, list_ in enumerate(("sendgrid-unsubscribes", "sendgrid-group-unsubscribes")):
        options = {"list": list_, "partly": "leave-out", "encoding": "detect"}
        artefact = {"of": "suppressions", "file": "f.csv", "sha256": "0" * 64, "rows_sha256": "0" * 64, "source": "Theirs",
                    "lines": 2, "rows": 1, "left_out": 1, "repeated": 0, "options": options}  # fmt: skip
        change, _ = propose(site, site.member.account, "import", f"chosen-{n}", artefact)
        told[list_] = approver.get(f"/changes/{change}").text.partition("The same, for programs")[0]
        assert "1 row of “f.csv” is imported" in told[list_]
        assert "1 line of it is not, and has its reason" in told[list_]
    whole, group = told.values()
    assert "SendGrid: global unsubscribes" in whole
    assert "tag or group alone" not in whole
    assert "SendGrid: unsubscribes of one group" in group
    assert "leave such rows out" in group


def test_every_list_that_may_opt_out_partly_is_known():
    assert {each.code for each in FORMS.values() if _partly(each)} == set(NARROW)


def _partly(form):
    try:
        return form.reason({"tags": "one"}) == PARTLY
    except Left:
        return False
