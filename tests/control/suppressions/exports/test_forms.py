"""Each provider's lists, in the shapes that their users get, come to the reasons that docs/suppressions.md promises."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.control.suppressions.exports import forms, said, tables
from troth.control.suppressions.exports.forms import FORMS, Left

HARD, COMPLAINT, OUT, ADMIN, SPENT, PARTLY = 1, 2, 3, 5, 6, 0

# list -> (a file as it is exported, what its rows come to: address, reason or code, day)
FILES = {
    "mailgun-bounces": [
        (('address,code,error,created_at\r\na@x.example,550,"No such mailbox, sorry",'
         '"Fri, 21 Oct 2011 11:02:55 GMT"\r\nb@x.example,452,Full,\r\nc@x.example,605,Not delivering,\r\n'
         'd@x.example,607,,"Mon, 01 Jan 0001 00:00:00 UTC"\r\n'),
         [("a@x.example", HARD, date(2011, 10, 21)), ("b@x.example", SPENT, None), ("c@x.example", HARD, None),
          ("d@x.example", COMPLAINT, None)]),
        (('{"items": [{"address": "a@x.example", "code": "550", "error": "No such mailbox", '
         '"created_at": "Fri, 21 Oct 2011 11:02:55 UTC", "MessageHash": "abc"}],\n'
         '"paging": {"first": "https://api.example/1", "next": "x"}}\n'
         '{"items": [{"address": "b@x.example", "code": 606, "error": "", "created_at": ""}], "paging": {}}\n'
         '{"items": [], "paging": {}}'),
         [("a@x.example", HARD, date(2011, 10, 21)), ("b@x.example", OUT, None)]),
    ],
    "mailgun-complaints": [
        ("address,created_at\na@x.example,2024-05-03T10:00:00Z\n", [("a@x.example", COMPLAINT, date(2024, 5, 3))]),
        ('{"items":[{"address":"a@x.example","created_at":"Tue, 07 Jan 2025 19:25:45 UTC"}],"paging":{}}',
         [("a@x.example", COMPLAINT, date(2025, 1, 7))]),
    ],
    "mailgun-unsubscribes": [
        ("address,tags,created_at\na@x.example,*,\nb@x.example,,\nc@x.example,news,\n",
         [("a@x.example", OUT, None), ("b@x.example", OUT, None), ("c@x.example", PARTLY, None)]),
        (('{"items": [{"address": "a@x.example", "tags": ["*"], "created_at": "Tue, 07 Jan 2025 19:25:45 UTC"},'
         ' {"address": "b@x.example", "tags": ["some tag"]}, {"address": "c@x.example", "tags": []},'
         ' {"address": "d@x.example", "tags": ["news", "*"]}]}'),
         [("a@x.example", OUT, date(2025, 1, 7)), ("b@x.example", PARTLY, None), ("c@x.example", OUT, None),
          ("d@x.example", OUT, None)]),
    ],
    "ses": [
        (('{"SuppressedDestinationSummaries": [{"EmailAddress": "a@x.example", "Reason": "BOUNCE", '
         '"LastUpdateTime": "2020-04-10T21:03:05+00:00"}, {"EmailAddress": "b@x.example", "Reason": "COMPLAINT", '
         '"LastUpdateTime": 1586552743.605}], "NextToken": "abc"}'),
         [("a@x.example", HARD, date(2020, 4, 10)), ("b@x.example", COMPLAINT, date(2020, 4, 10))]),
        ("Email address,Suppression reason,Date added\na@x.example,Bounce,2020-04-10\nb@x.example,Other,\n",
         [("a@x.example", HARD, date(2020, 4, 10)), ("b@x.example", "reason", None)]),
        ("a@x.example,BOUNCE\nb@x.example,COMPLAINT\n", [("a@x.example", HARD, None), ("b@x.example", COMPLAINT, None)]),
        ('{"emailAddress":"a@x.example","reason":"BOUNCE"}\n{"emailAddress":"b@x.example","reason":"COMPLAINT"}\n',
         [("a@x.example", HARD, None), ("b@x.example", COMPLAINT, None)]),
    ],
    "postmark": [
        (('{"Suppressions":[{"EmailAddress":"a@x.example","SuppressionReason":"ManualSuppression","Origin":"Recipient",'
         '"CreatedAt":"2019-12-10T23:58:33-05:00"},{"EmailAddress":"b@x.example","SuppressionReason":"HardBounce",'
         '"Origin":"Recipient","CreatedAt":"x"},{"EmailAddress":"c@x.example","SuppressionReason":"SpamComplaint",'
         '"Origin":"Recipient"},{"EmailAddress":"d@x.example","SuppressionReason":"ManualSuppression","Origin":"Customer"}]}'),
         [("a@x.example", OUT, date(2019, 12, 11)), ("b@x.example", HARD, None), ("c@x.example", COMPLAINT, None),
          ("d@x.example", ADMIN, None)]),
        (("Email Address;Suppression Reason;Origin;Created At\na@x.example;Hard Bounce;Recipient;2024-01-02\n"
         "b@x.example;Nothing;Admin;\n"), [("a@x.example", HARD, date(2024, 1, 2)), ("b@x.example", "reason", None)]),
    ],
    "postmark-bounces": [
        (('{"TotalCount":3,"Bounces":[{"ID":1,"Type":"HardBounce","TypeCode":1,"Email":"a@x.example",'
         '"BouncedAt":"2024-01-02T01:02:03Z","Inactive":true},{"ID":2,"Type":"SpamComplaint","Email":"b@x.example",'
         '"Inactive":true},{"ID":3,"Type":"Transient","Email":"c@x.example","Inactive":true},'
         '{"ID":4,"Type":"HardBounce","Email":"d@x.example","Inactive":false}]}'),
         [("a@x.example", HARD, date(2024, 1, 2)), ("b@x.example", COMPLAINT, None), ("c@x.example", "passing", None),
          ("d@x.example", "active", None)]),
    ],
    "sendgrid-bounces": [
        (('status,reason,email,created\n5.1.1,"550 5.1.1 no ""such"" user,\nsorry",a@x.example,1443651125\n'
         '4.2.2,full,b@x.example,1443651125\n,452 full,c@x.example,\n'),
         [("a@x.example", HARD, date(2015, 9, 30)), ("b@x.example", SPENT, date(2015, 9, 30)), ("c@x.example", SPENT, None)]),
        ('[{"created": 1443651125, "email": "a@x.example", "reason": "550 5.1.1 gone", "status": "5.1.1"}]',
         [("a@x.example", HARD, date(2015, 9, 30))]),
    ],
    "sendgrid-invalid-emails": [
        ('reason,email,created\nMail domain mentioned in email address is unknown,a@x.example,"2009-06-01 19:41:39"\n',
         [("a@x.example", HARD, date(2009, 6, 1))]),
    ],
    "sendgrid-spam-reports": [
        ('[{"created": 1443651141, "email": "a@x.example", "ip": "10.89.32.5"}]', [("a@x.example", COMPLAINT, date(2015, 9, 30))]),
        ("ip,email,created\n10.89.32.5,a@x.example,1443651141\n", [("a@x.example", COMPLAINT, date(2015, 9, 30))]),
    ],
    "sendgrid-unsubscribes": [
        ("email,created\na@x.example,1443651141\n", [("a@x.example", OUT, date(2015, 9, 30))]),
        ('{"recipient_emails": ["a@x.example", "b@x.example"]}', [("a@x.example", OUT, None), ("b@x.example", OUT, None)]),
    ],
    "sendgrid-group-unsubscribes": [
        ('[{"email":"a@x.example","group_id":1,"group_name":"Weekly","created_at":1410986704}]',
         [("a@x.example", PARTLY, date(2014, 9, 17))]),
        ('["a@x.example", "b@x.example"]', [("a@x.example", PARTLY, None), ("b@x.example", PARTLY, None)]),
        ("email,created\na@x.example,\n", [("a@x.example", PARTLY, None)]),
    ],
    "sendgrid-blocks": [
        ("status,reason,email,created\n4.0.0,refused,a@x.example,1443651141\n", [("a@x.example", "block", None)]),
    ],
}  # fmt: skip
_EACH = [(code, text, rows) for code, files in FILES.items() for text, rows in files]


def read(code, octets):
    """(address, reason or why it is left out, day) of each row, through whichever pieces."""
    table = tables.opened(iter([octets[:7], octets[7:]]))
    found = FORMS[code].find(list(table.header))
    assert found is not None, table.header
    got = []
    for line in table:
        cells = {name: line.cells[place] for name, place in found.items()}
        try:
            row = FORMS[code].read(cells)
        except Left as left:
            got.append((cells["address"], left.code, None))
        else:
            got.append((row.address, row.reason, row.since))
    return got


def test_every_list_that_is_offered_has_a_file():
    assert set(FILES) == set(FORMS)


@pytest.mark.parametrize(("code", "text", "rows"), _EACH)
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_as_its_users_get_it_comes_to_its_reasons(code, text, rows, codec):
    assert read(code, text.encode(codec)) == rows
    assert FORMS[code] in forms.fitting(list(tables.opened(iter([text.encode(codec)])).header))


@pytest.mark.parametrize(("code", "other"), [
    ("mailgun-complaints", "mailgun-bounces"), ("mailgun-unsubscribes", "sendgrid-bounces"), ("ses", "postmark"),
    ("postmark", "ses"), ("sendgrid-bounces", "sendgrid-spam-reports"), ("sendgrid-unsubscribes", "sendgrid-bounces"),
    ("sendgrid-spam-reports", "mailgun-unsubscribes"), ("mailgun-bounces", "ses"), ("postmark-bounces", "postmark"),
])  # fmt: skip
def test_another_lists_columns_are_not_taken_for_it(code, other):
    """Or a bounce list would be read as complaints, which no override outweighs."""
    for text, _ in FILES[other]:
        header = list(tables.opened(iter([text.encode()])).header)
        assert FORMS[code].find(header) is None or not any(isinstance(n, int) for _, n, _ in read(code, text.encode()))


@given(st.text())
def test_a_day_of_anything_is_a_day_or_none(text):
    found = said.day(text)
    assert found is None or found.year >= 1990


@given(st.dates(min_value=date(1990, 1, 1), max_value=date(2200, 1, 1)))
def test_a_day_is_read_from_iso_and_rfc_dates(day):
    assert said.day(day.isoformat()) == day
    assert said.day(f"{day:%a, %d %b %Y} 11:02:55 GMT") == day
    assert said.day(f"{day:%d %b %Y} 00:00:00 +0000") == day


@given(st.dictionaries(st.sampled_from(["address", "code", "detail", "status", "reason", "tags", "origin", "since"]),
                       st.text()))  # fmt: skip
def test_whatever_cells_say_a_row_has_one_of_our_reasons_or_is_left_out(cells):
    for form in FORMS.values():
        try:
            row = form.read(cells)
        except Left as left:
            assert left.code.isalpha()  # noqa: PT017 - both ways are fine
        else:
            assert row.reason in (PARTLY, HARD, COMPLAINT, OUT, ADMIN, SPENT)


def test_codes_are_found_where_they_are_codes():
    assert said.reply_class("550 5.1.1 gone") == 5
    assert said.reply_class("", "452 full") == 4
    assert said.reply_class("delivered by 10.4.2.2.5 in 4500 ms") is None
    assert said.reply_class("2.0.0 ok") == 2
