"""An export of another provider, from its octets to the list: checked by line, approved by a second person, carried out
once; what it says of one client's opt-outs stays that client's.
"""

import hashlib
import json
from uuid import uuid4

import psycopg
import pytest
from tests.control.access.cast import member, session

from troth.control.audit import scope
from troth.control.imports import rows
from troth.control.imports.working import Worker
from troth.control.suppressions.importing import LIST, PARTIAL, SUPPRESSIONS
from troth.keys import places
from troth.keys.keyring import OPERATOR
from troth.keys.opened import Keys
from troth.ledger.canonical import canonical_document
from troth.mail.address import parse_address


class Desk:
    """One client's imports: handed in, worked on, approved."""

    def __init__(self, operator, firm):
        self.operator, self.firm = operator, firm
        wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
        self.keys = Keys(operator.keyring, operator.secrets, operator.keyring.tenant(OPERATOR, wrapped))
        self.connection = scope.connect(operator.database.conninfo("troth_control"), "test")
        importers = {"suppressions": SUPPRESSIONS}
        self.worker = Worker(lambda: self.connection, lambda _: self.keys, importers, lambda: False)

    def hand_in(self, octets, list_, partly="leave-out"):
        subject, pieces = uuid4(), [octets[n : n + 50_000] for n in range(0, len(octets), 50_000)]
        options = json.dumps({LIST: list_, PARTIAL: partly, "encoding": "detect"})
        with scope.within(self.connection, self.firm.tenant):
            what = (subject, self.firm.tenant, "suppressions", "export", "Their own export", options)
            how = (hashlib.sha256(octets).digest(), len(octets), len(pieces), self.operator.sessions[0])
            rows.call(self.connection, "import_receive_v1", *what, *how)
            for n, piece in enumerate(pieces):
                sealed = self.firm.keys.seal(piece, places.import_part(subject, n))
                rows.call(self.connection, "import_part_v1", subject, n, sealed)
        self.worker.round(self.connection)
        return subject

    def found(self, subject):
        with scope.within(self.connection, self.firm.tenant):
            return rows.find(self.connection, subject), rows.faults(self.connection, subject, 0, 100)

    def artefact(self, subject):
        one, _ = self.found(subject)
        return {"of": one.kind, "file": one.name, "sha256": one.digest.hex(), "rows_sha256": one.rows_digest.hex(),
                    "source": one.source, "lines": one.lines, "rows": one.good, "left_out": one.bad,
                    "repeated": one.same, "options": one.chosen}  # fmt: skip

    def approve(self, subject):
        self.operator.govern("import", self.firm.tenant, str(subject), self.artefact(subject), subject)
        self.worker.round(self.connection)
        return self.found(subject)[0]

    def listed(self, address):
        index = self.firm.index(parse_address(address).addr_spec)
        query = "SELECT reason, split_part(source, ':', 2), split_part(source, ':', 4), tenant_id FROM suppression WHERE blind_index = %s"
        return self.operator.admin.execute(query + " ORDER BY 1", (index,)).fetchall()


@pytest.fixture
def desk(operator, firm):
    made = Desk(operator, firm)
    yield made
    made.connection.close()


def test_an_export_goes_onto_the_list_once_and_each_bad_row_is_told(desk):
    octets = (b'address,code,error,created_at\nA@x.example,550,"No such mailbox","Fri, 21 Oct 2011 11:02:55 GMT"\n'
              b"b@x.example,452,Full,\nnonsense,550,,\n,550,,\nb@x.example,452,Full,\n")  # fmt: skip
    subject = desk.hand_in(octets, "mailgun-bounces")
    one, faults = desk.found(subject)
    assert (one.state, one.lines, one.good, one.bad, one.same) == (2, 5, 2, 2, 1)
    assert [(line, code) for line, code, _ in faults] == [(4, "address"), (5, "address"), (6, "repeated")]
    assert "nonsense" not in str(faults)
    assert desk.listed("a@x.example") == []
    done = desk.approve(subject)
    assert (done.state, done.became) == (4, {"added": 2})
    assert desk.listed("a@x.example") == [(1, "mailgun", "2011-10-21", desk.firm.tenant)]
    assert desk.listed("b@x.example") == [(6, "mailgun", "", desk.firm.tenant)]
    sealed = desk.operator.admin.execute("SELECT blind_index, address_ct FROM suppression").fetchall()
    opened = {desk.keys.operator.open(bytes(text), places.suppression(bytes(index))) for index, text in sealed}
    assert opened == {b"A@x.example", b"b@x.example"}
    feed = desk.operator.admin.execute("SELECT count(*) FROM suppression_feed").fetchone()[0]
    assert feed == 2
    again = desk.approve(desk.hand_in(octets, "mailgun-bounces"))
    assert again.became == {"on the list already": 2}
    assert desk.operator.admin.execute("SELECT count(*) FROM suppression").fetchone()[0] == 2


def test_none_of_a_clients_own_people_approves_what_counts_for_all(desk):
    octets = b"address,code,error,created_at\nrival@x.example,550,,\n"
    subject, operator, tenant = desk.hand_in(octets, "mailgun-bounces"), desk.operator, desk.firm.tenant
    admin, approver = (member(operator, name, name.lower(), tenant).account for name in ("Admin", "Approver"))
    mine, theirs = session(operator, admin), session(operator, approver)
    change, text = uuid4(), canonical_document(desk.artefact(subject)).decode()
    what = (change, "import", tenant, subject, str(subject), text, "Moving over", mine)
    digest = operator.control.execute("SELECT propose_v1(%s, %s, %s, %s, %s, %s, %s, %s)", what).fetchone()[0]
    approve, yes = "SELECT approve_v1(%s, %s, %s)", (change, digest)
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="one for all clients: somebody of the operator"):
        operator.control.execute(approve, (*yes, theirs))
    may = {each[0] for each in operator.admin.execute("SELECT account_id FROM approvers_v1(%s, %s)", (change, theirs))}
    assert may
    assert not may & {admin, approver}
    human = operator.admin.execute("SELECT human_id FROM account WHERE id = %s", (approver,)).fetchone()[0]
    operator.admin.execute("SELECT set_config('troth.acting', encode(%s, 'hex'), false)", (theirs,))
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="by somebody else"):
        operator.admin.execute("INSERT INTO approval (change_id, human_id, tenant_id, account_id, digest, at)"
                               " VALUES (%s, %s, %s, %s, %s, now_v1())", (change, human, tenant, approver, digest))  # fmt: skip
    desk.worker.round(desk.connection)
    assert desk.listed("rival@x.example") == []
    operator.control.execute(approve, (*yes, operator.sessions[1]))
    desk.worker.round(desk.connection)
    assert desk.listed("rival@x.example") == [(1, "mailgun", "", tenant)]


def test_an_address_with_two_reasons_or_days_has_both_and_no_row_is_lost(desk):
    octets = json.dumps({"SuppressedDestinationSummaries": [
        {"EmailAddress": "a@x.example", "Reason": "BOUNCE", "LastUpdateTime": "2020-04-10T21:03:05+00:00"},
        {"EmailAddress": "a@x.example", "Reason": "COMPLAINT", "LastUpdateTime": 1586552743.605},
        {"EmailAddress": "a@x.example", "Reason": "BOUNCE", "LastUpdateTime": "2021-04-10T21:03:05+00:00"},
        {"EmailAddress": "b@x.example", "Reason": "NEITHER"},
    ]}).encode()  # fmt: skip
    one = desk.approve(desk.hand_in(octets, "ses"))
    assert (one.good, one.bad, one.encoding[:11]) == (3, 1, "UTF-8, JSON")
    assert [each[:3] for each in desk.listed("a@x.example")] == [(1, "ses", "2020-04-10"), (2, "ses", "2020-04-10")]


@pytest.mark.parametrize(("partly", "becomes"), [("leave-out", "left"), ("everything", "all"), ("", "category")])
def test_an_opt_out_of_one_group_is_what_was_chosen_for_it(desk, partly, becomes):
    partly = partly or str(desk.firm.category)
    octets = b'[{"email":"a@x.example","group_id":1,"group_name":"Weekly","created_at":1410986704}]'
    subject = desk.hand_in(octets, "sendgrid-group-unsubscribes", partly)
    one, faults = desk.found(subject)
    if becomes == "left":
        assert (one.good, [code for _, code, _ in faults]) == (0, ["partly"])
        return
    assert desk.approve(subject).became == {"added": 1}
    outs = desk.operator.admin.execute("SELECT category_id, tenant_id FROM opt_out").fetchall()
    if becomes == "all":
        assert (desk.listed("a@x.example")[0][0], outs) == (3, [])
    else:
        assert (desk.listed("a@x.example"), outs) == ([], [(desk.firm.category, desk.firm.tenant)])
        assert desk.approve(desk.hand_in(octets, "sendgrid-group-unsubscribes", partly)).became == {
            "on the list already": 1
        }


@pytest.mark.parametrize(("octets", "list_", "said"), [
    (b"status,reason,email,created\n5.1.1,x,a@x.example,1\n", "sendgrid-spam-reports", "“SendGrid: bounces”"),
    (b"one,two\n1,2\n", "ses", "of no list"),
    (b"email,email,reason\na@x.example,b@x.example,BOUNCE\n", "ses", "Two columns are called “email”"),
    ("email,reason\né@x.example,BOUNCE\n".encode("latin-1"), "ses", "not UTF-8"),
    ('{"items": [{"address": "é@x.example", "code": 550}]}'.encode("latin-1"), "mailgun-bounces", "no UTF-8"),
    (b'{"items": [{"address": "a@x.example", "code": 550}', "mailgun-bounces", "cannot be read at line 1"),
    (b"PK\x03\x04", "ses", "spreadsheet"),
    ("email,reason\na@x.example,BOUNCE\n".encode("utf-16-le"), "ses", "UTF-16 without its mark"),
    (b'{"items": []}', "mailgun-bounces", "no entries"),
])  # fmt: skip
def test_a_file_that_is_not_that_list_is_refused_whole_and_says_which_it_may_be(desk, octets, list_, said):
    one, _ = desk.found(desk.hand_in(octets, list_))
    assert one.state == 5
    assert said in one.why
    assert desk.operator.admin.execute("SELECT count(*) FROM suppression").fetchone()[0] == 0


def test_the_functions_carry_out_an_approved_import_of_their_kind_alone(desk):
    index, category = [desk.firm.index("a@x.example")], desk.firm.category
    for query, values in (
        ("SELECT suppress_import_v1(%s, %s, '{1}', '{x}', '{NULL}')", (uuid4(), index)),
        ("SELECT opt_out_import_v1(%s, %s, %s, 'x')", (uuid4(), index, category)),
    ):
        with pytest.raises(Exception, match="gone on meanwhile"), scope.within(desk.connection, desk.firm.tenant):
            desk.connection.execute(query, values)


def test_the_choices_are_the_lists_and_the_clients_categories(desk):
    with scope.within(desk.connection, desk.firm.tenant):
        lists, partial = SUPPRESSIONS.choices(desk.connection, desk.firm.tenant)
    assert len(lists.of) == 12
    assert str(desk.firm.category) in {each[0] for each in partial.of}
    assert len(SUPPRESSIONS.choices(desk.connection, None)[1].of) == 2
    assert SUPPRESSIONS.then({LIST: "ses"}, 1200).startswith("1,200 entries (Amazon SES")
    assert SUPPRESSIONS.words.ignored(["Email address", "Suppression reason", "Favourite colour"]) == [
        "Favourite colour"
    ]
