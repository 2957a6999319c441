"""A file of suppressions before its second person: the client's own approver is told why they are not the one; of a file
of recipients they are.
"""

from tests.control.approvals.proposing import propose
from tests.support.pages import join


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
