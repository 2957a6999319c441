"""An import of recipients promises: each row is judged as POST /recipients judges it, its domain is asked for once, and
what it says of consent is on record with its person, or the line is left out with the reason.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest
from tests.control.imports.test_working import approve, found, propose, receive
from tests.control.imports.working_with import resolver, work

from troth.control.audit import scope
from troth.control.imports import rows
from troth.keys import consents
from troth.outside.dns import Lookup, LookupFailed, Outcome

HEAD = "email,timezone,consent,consent_given_at,consent_wording,consent_how,consent_source,consent_basis,consent_category,consent_expires_at\n"  # fmt: skip
LATELY = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)  # no inquiry of then has run out
GOOD = "express,2026-01-05T10:00:00+01:00,Send me news.,ticked a box,192.0.2.9"


class Counted:
    """The tests' resolver, and how often it was asked for the MX of what; or one that is away."""

    def __init__(self, silent=()):
        self.asked, self.silent, self.real = [], silent, resolver()

    async def mx(self, name):
        self.asked.append(name)
        if self.silent == "all" or name in self.silent:
            return LookupFailed(name, "a test")
        if name == "null.example":
            return Lookup(name, Outcome.FOUND, ((0, "."),))
        return await self.real.mx(name)

    async def addresses(self, name):
        return await self.real.addresses(name)


def policy(firm, **recipients):
    document = {"recipients": recipients}
    firm.operator.govern("policy", firm.tenant, "tenant", document)


def judged(firm, text, asks=None):
    subject = receive(firm, text.encode(), "recipients", pathway="")
    work(firm.operator, asks=asks)
    with scope.within(firm.operator.control, firm.tenant):
        control = firm.operator.control
        return (
            found(firm, subject),
            rows.faults(control, subject, 0, 100),
            rows.faults(control, subject, 0, 100, taken=True),
        )


def test_each_row_gets_the_verdict_that_registering_gives(firm):
    policy(firm, disposable="refuse", roles="refuse")
    lines = ["ann@example.net", "postmaster@example.net", "ann@mailinator.com", "ann@exаmple.net", "ann@null.example",
             "ann@nowhere.example", "ann@gmaill.com", '"""a b""@example.net"', "ann@[192.0.2.1]", "ann@xn--a.example", "ann@127.0.0.1"]  # fmt: skip
    one, faults, doubts = judged(firm, "email\n" + "\n".join(lines), Counted())
    assert one.why is None
    assert {line: code for line, code, _ in faults} == {
        3: "role", 4: "disposable", 5: "mixed-script", 6: "domain-takes-no-mail", 7: "domain-takes-no-mail", 9: "quoted",
        10: "literal", 11: "idna", 12: "domain"}  # fmt: skip
    assert [(line, code) for line, code, _ in doubts] == [(8, "doubt")]
    assert "gmail.com" in doubts[0][2]
    assert (one.good, one.bad, one.doubted) == (2, 9, 1)
    told = json.dumps(faults + doubts, ensure_ascii=False)
    for word in ("ann", "postmaster", "mailinator", "exаmple", "gmaill", "nowhere"):
        assert word not in told, "reasons repeat nothing of the row"


def test_a_policy_that_takes_them_takes_them(firm):
    one, faults, _ = judged(firm, "email\ninfo@example.net\n")
    assert (one.good, faults) == (1, [])


def test_each_domain_is_asked_for_once(firm):
    asks = Counted()
    one, *_ = judged(firm, "email\n" + "\n".join(f"p{n}@d{n % 3}.example" for n in range(2_500)), asks)
    assert (one.good, sorted(asks.asked)) == (2_500, ["d0.example", "d1.example", "d2.example"])


def test_a_domain_that_the_dns_says_nothing_of_is_neither_good_nor_bad(firm):
    one, faults, _ = judged(
        firm, "email\na@example.net\nb@broken.example\nc@broken.example\n", Counted({"broken.example"})
    )
    assert (one.state, one.good, one.bad) == (rows.CHECKED, 1, 2)
    assert [code for _, code, _ in faults] == ["domain-unresolved"] * 2
    assert "neither good nor bad" in faults[0][2]


@pytest.mark.parametrize("many", [1, 200])
def test_while_the_resolver_is_away_the_file_waits_and_goes_on_by_itself(firm, many):
    lines = "email\n" + "\n".join(f"p{n}@{'example.net' if many == 1 else f'd{n}.example'}" for n in range(many))
    away = Counted("all")
    one, faults, _ = judged(firm, lines, away)
    assert (one.state, faults) == (rows.RECEIVED, [])
    assert "DNS does not answer" in one.why
    assert len(away.asked) <= 2 * 64 + 2, "it is not asked for ever"
    if many == 1:
        assert work(firm.operator) == 1
        assert (found(firm, one.id).state, found(firm, one.id).why) == (rows.CHECKED, None)
        return
    firm.operator.admin.execute("UPDATE installation SET clock_offset = interval '2 hours'")
    assert work(firm.operator, asks=Counted("all")) == 1
    assert found(firm, one.id).state == rows.UNREADABLE
    assert "For an hour" in found(firm, one.id).why


def test_without_a_resolver_nothing_is_taken(firm, monkeypatch):
    monkeypatch.setattr("tests.control.imports.working_with.resolver", lambda: None)
    one, *_ = judged(firm, "email\nann@example.net\n")
    assert one.state == rows.RECEIVED


@pytest.mark.parametrize(("cells", "code"), [
    ("implicit,2026-01-05T10:00:00Z,w,h,,,,", "consent"),
    (",2026-01-05T10:00:00Z,w,h,,,,", "consent"),
    ("express,,w,h,,,,", "consent_given_at"),
    ("express,2026-01-05,w,h,,,,", "consent_given_at"),
    ("express,2026-01-05T10:00:00,w,h,,,,", "consent_given_at"),
    ("express,5.1.2026,w,h,,,,", "consent_given_at"),
    ("express,2999-01-05T10:00:00Z,w,h,,,,", "consent_given_at"),
    ("express,2026-01-05T10:00:00Z,,h,,,,", "consent_wording"),
    ("express,2026-01-05T10:00:00Z,w,,,,,", "consent_wording"),
    ("implied,2026-01-05T10:00:00Z,w,h,,,,", "consent_basis"),
    ("implied,2026-01-05T10:00:00Z,w,h,,friendship,,", "consent_basis"),
    ("implied,2026-01-05T10:00:00Z,w,h,,inquiry,,2027-01-05T10:00:00Z", "consent_expires_at"),
    ("express,2026-01-05T10:00:00Z,w,h,,,,2026-01-04T10:00:00Z", "consent_expires_at"),
    ("implied,2025-01-05T10:00:00Z,w,h,,inquiry,,", "consent_given_at"),
    ("express,2024-01-05T10:00:00Z,w,h,,,,2025-01-05T10:00:00Z", "consent_expires_at"),
    ("express,2026-01-05T10:00:00Z,w,h,,,nope,", "consent_category"),
    (f"express,2026-01-05T10:00:00Z,w,h,{'x' * 201},,,", "consent_source"),
])  # fmt: skip
def test_what_is_no_consent_is_left_out_with_its_reason(firm, cells, code):
    one, faults, _ = judged(firm, f"{HEAD}ann@example.net,,{cells}\n")
    assert (one.good, [each[:2] for each in faults]) == (0, [(2, code)])


def test_columns_of_consent_without_its_kind_are_refused_whole(firm):
    one, *_ = judged(firm, "email,consent_wording\nann@example.net,x\n")
    assert one.state == rows.UNREADABLE
    assert "express or implied" in one.why


def test_two_lines_about_one_address_that_differ_in_consent_or_zone_are_both_left_out(firm):
    lines = ["a@example.net,Europe/Oslo,,,,,,,,", "A@example.net,Asia/Tokyo,,,,,,,,", f"b@example.net,,{GOOD},,,",
             f"b@example.net,,implied,{LATELY:%Y-%m-%d}T00:00:00Z,Send me news.,ticked a box,192.0.2.9,inquiry,,",
             f"c@example.net,,{GOOD},,,", f"c@example.net,,{GOOD},,,"]  # fmt: skip
    one, faults, _ = judged(firm, HEAD + "\n".join(lines))
    assert (one.good, one.bad, one.same) == (1, 4, 1)
    assert [code for _, code, _ in faults] == ["contradicted", "contradicts", "contradicted", "contradicts", "repeated"]


def through(firm, text):
    one, *_ = judged(firm, text)
    approve(firm, propose(firm, one))
    assert work(firm.operator) == 1
    return found(firm, one.id).became


def test_consent_is_on_record_once_with_its_wording_sealed_for_its_person(firm):
    name = firm.operator.admin.execute("SELECT code FROM governed WHERE subject = %s", (firm.category,)).fetchone()[0]
    old = firm.person("bo@example.net", status=1)
    text = (f"{HEAD}ann@example.net,Europe/Oslo,{GOOD},,{name.upper()},\n"
            f"bo@example.net,Asia/Tokyo,Implied,{LATELY:%Y-%m-%d}T00:00:00Z,An inquiry.,by phone,,inquiry,,\ncy@example.net,,,,,,,,,\n")  # fmt: skip
    assert through(firm, text) == {"added": 2, "there already": 1, "consents recorded": 2}
    query = """SELECT c.id, c.person_id, c.category_id, c.kind, c.basis, c.at, c.expires_at, c.detail_ct, p.data_key, p.timezone
               FROM consent c JOIN person p ON p.id = c.person_id ORDER BY c.kind"""
    express, implied = firm.operator.admin.execute(query).fetchall()
    assert express[2:7] == (firm.category, 1, "recorded", datetime(2026, 1, 5, 9, tzinfo=UTC), None)
    assert implied[1:7] == (old, None, 2, "inquiry", LATELY, (LATELY + timedelta(days=195)).replace(day=1))  # fmt: skip
    assert (express[9], implied[9]) == ("Europe/Oslo", "Asia/Tokyo")
    for made, person, *_, sealed, wrapped, _zone in (express, implied):
        said = consents.opened(firm.keys.person(wrapped, person), made, sealed)
        assert said["told_by"].startswith("import:")
        assert said["wording"] in ("Send me news.", "An inquiry.")
    kinds = "SELECT count(*) FROM ledger_pending WHERE kind = 'privacy:consent:record'"
    assert firm.operator.admin.execute(kinds).fetchone() == (1,)
    assert through(firm, text) == {"there already": 3, "consents on record already": 2}
    assert firm.operator.admin.execute("SELECT count(*) FROM consent").fetchone() == (2,)


def test_who_was_erased_stays_so_and_has_no_consent(firm):
    firm.person("ann@example.net", status=1)
    assert through(firm, "email\nbo@example.net\n") == {"added": 1}
    firm.operator.database.fill(
        "UPDATE person SET status = 4, address_ct = NULL, data_key = NULL, erased_at = now_v1() WHERE blind_index = %s",
        firm.index("ann@example.net"))  # fmt: skip
    outcome = through(firm, f"{HEAD}ann@example.net,Europe/Oslo,{GOOD},,,\n")
    assert outcome == {"erased before, which stay so": 1}
    assert firm.operator.admin.execute("SELECT count(*) FROM consent").fetchone() == (0,)
