"""What people do about the list: an entry by hand is for good and one person's act; an override takes two, and no
complaint has one; nobody learns of another client's reasons.
"""

import re
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from tests.support.pages import join

from troth.control.suppressions import history

SENTENCE = "They moved out and asked for letters on paper"


def viewer(site):
    return join(site.operator, "V Iewer <viewer@firm.test>", "viewer", site.firm.tenant, second=False)


def told(site, index):
    return site.operator.admin.execute(
        "SELECT reason, source, tenant_id FROM suppression WHERE blind_index = %s", (index,)
    ).fetchall()


def put(visitor, address, reason=SENTENCE):
    visitor.get("/suppressions/add")
    return visitor.post("/suppressions/add", address=address, reason=reason)


def found(visitor, address):
    visitor.get("/suppressions")
    return visitor.post("/suppressions/find", q=address)


def sealed(answer):
    return parse_qs(urlsplit(answer.url).query)["who"][0]


def test_an_entry_by_hand_has_its_person_and_words_and_stops_everybody(site):
    site.firm.person("sam@leaving.example")
    admin, colleague, outsider = site.visitor(site.member), site.visitor(viewer(site)), site.visitor(site.outsider)
    page = admin.get("/suppressions/add").text
    assert "entries are never deleted" in page
    assert "mail of every client stops" in page
    answer = put(admin, "Sam@Leaving.example")
    assert "nothing more is sent to it" in answer.text
    assert SENTENCE in answer.text
    assert site.member.name in answer.text
    assert "leaving.example" not in answer.url
    index = site.firm.index("sam@leaving.example")
    ((reason, source, tenant),) = told(site, index)
    assert (reason, tenant) == (5, site.firm.tenant)
    assert source.startswith("by-hand:")
    assert SENTENCE in found(colleague, "sam@leaving.example").text
    theirs = found(outsider, "sam@leaving.example").text
    assert "not on this client’s list" in theirs
    assert SENTENCE not in theirs
    again = put(admin, "sam@leaving.example")
    assert again.status == 422
    assert "by hand already" in again.text
    assert len(told(site, index)) == 1
    leaf = site.operator.admin.execute(
        "SELECT leaf FROM ledger_pending WHERE kind = 'suppression:entry:add'"
    ).fetchone()
    assert leaf is not None
    assert SENTENCE not in leaf[0]
    assert index.hex() not in leaf[0]


def test_what_is_typed_wrong_is_kept_and_changes_nothing(site):
    admin = site.visitor(site.member)
    for address, reason, fault in (
        ("sam", SENTENCE, "f-address"),
        ("", SENTENCE, "Type the address"),
        ("sam@x.example", "  ", "Say why"),
        ("sam@x.example", "x" * 2001, "2,000 characters"),
    ):
        answer = put(admin, address, reason)
        assert answer.status == 422, address
        assert fault in answer.text
        assert 'role="alert"' in answer.text
        assert f'value="{address}"' in answer.text
    assert site.operator.admin.execute("SELECT count(*) FROM suppression_act").fetchone()[0] == 0


def test_a_client_names_its_own_verified_recipients_alone_and_the_operator_anybody(site):
    site.firm.person("sam@x.example")
    site.firm.person("asked@x.example", status=1)
    site.other.person("theirs@x.example")
    admin = site.visitor(site.member)
    assert "verified as a recipient of yours" in admin.get("/suppressions/add").text
    for address in ("theirs@x.example", "nobody@x.example", "asked@x.example"):
        refused = put(admin, address)
        assert refused.status == 422, address
        assert "never a verified recipient of yours: ask the operator" in refused.text
        assert f'value="{address}"' in refused.text
        assert 'href="#f-address"' in refused.text
        assert told(site, site.firm.index(address)) == [], address
    assert site.operator.admin.execute("SELECT count(*) FROM suppression_act").fetchone()[0] == 0
    site.operator.database.fill("UPDATE person SET status = 4, erased_at = now(), data_key = NULL, address_ct = NULL")
    assert "nothing more is sent to it" in put(admin, "sam@x.example").text
    staff = site.visitor(join(site.operator, "S Upport <support@operator.test>", "support"))
    staff.get("/suppressions")
    staff.post("/scope", client=str(site.firm.tenant))
    assert "recipient of yours" not in staff.get("/suppressions/add").text
    assert "nothing more is sent to it" in put(staff, "theirs@x.example").text
    assert told(site, site.firm.index("theirs@x.example"))[0][2] == site.firm.tenant


def test_only_some_may_and_nobody_takes_an_entry_back(site):
    site.firm.person("gone@x.example")
    member = site.visitor(viewer(site))
    assert member.get("/suppressions/add").status == 404
    assert "/suppressions/add" not in member.get("/suppressions").text
    put(site.visitor(site.member), "gone@x.example")
    for statement in (
        "DELETE FROM suppression_act",
        "UPDATE suppression_act SET why_ct = why_ct",
        "TRUNCATE suppression_act",
    ):
        with pytest.raises(psycopg.Error):
            site.operator.admin.execute(statement)


def test_staff_at_no_client_see_of_one_address_what_everybody_met(site):
    site.firm.person("both@x.example")
    put(site.visitor(site.member), "both@x.example")
    site.operator.database.run(
        "SELECT suppress_v1(%s, '{1}', '{bench}', %s, '{NULL}')",
        [site.firm.index("both@x.example")],
        [site.other.tenant],
    )
    support = join(site.operator, "S Upport <support@operator.test>", "support")
    staff = site.visitor(support)
    assert "put no address here itself" in staff.get("/suppressions").text
    answer = found(staff, "both@x.example")
    assert "By everybody’s mail" in answer.text
    query = "SELECT name FROM tenant WHERE id = ANY(%s)"
    for (name,) in site.operator.admin.execute(query, ([site.firm.tenant, site.other.tenant],)).fetchall():
        assert f'data-label="Client">{name}' in answer.text
    assert len(re.findall('role="rowheader"', answer.text)) == 2
    mine = put(staff, "house@x.example", "A court said so")
    assert "the operator" in mine.text
    assert told(site, site.firm.index("house@x.example"))[0][2] is None
    assert "A court said so" not in found(site.visitor(viewer(site)), "house@x.example").text
    assert "put no address here itself" not in staff.get("/suppressions").text
    assert staff.get("/suppressions/export.csv").status == 404


def test_an_override_is_proposed_from_the_page_within_what_policy_lets_it_last(site):
    site.firm.person("sam@x.example")
    put(site.visitor(site.member), "sam@x.example")
    admin = site.visitor(site.member)
    way = f"/suppressions/override?who={sealed(found(admin, 'sam@x.example'))}"
    assert way in admin.last
    page = admin.get(way)
    assert "168 hours from now at the latest" in page.text
    for hours in ("0", "169", "-1", "two", "", "9" * 9, "²"):
        admin.get(way)
        wrong = admin.post(way, hours=hours, reason="They asked us to")
        assert wrong.status == 422, hours
        assert "from 1 to 168" in wrong.text
    admin.get(way)
    assert "Say why" in admin.post(way, hours="24", reason="").text
    admin.get(way)
    made = admin.post(way, hours="24", reason="They asked us to")
    assert "/changes/" in made.url
    assert admin.get(way).url == made.url
    assert "waits for its second person" in found(admin, "sam@x.example").text
    change, digest = site.operator.admin.execute(
        "SELECT id, digest FROM change WHERE kind = 'override' AND state = 1"
    ).fetchone()
    site.operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, site.operator.sessions[1]))
    after = found(admin, "sam@x.example").text
    assert "In force" in after
    assert str(change) in after


def test_a_complaint_is_never_overridden_by_page_proposal_or_database(site):
    operator, index = site.operator, site.firm.index("angry@x.example")
    operator.database.run("SELECT suppress_v1(%s, '{2}', '{arf}', %s, '{NULL}')", [index], [site.firm.tenant])
    admin = site.visitor(site.member)
    answer = found(admin, "angry@x.example")
    assert "no override is possible" in answer.text
    way = f"/suppressions/override?who={sealed(answer)}"
    assert way not in answer.text
    admin.get(way)
    refused = admin.post(way, hours="24", reason="Please")
    assert refused.status == 422
    assert "never overridden" in refused.text
    artefact = {"blind_index": index.hex(), "expires_at": "2036-01-01T00:00:00+00:00"}
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never overridden"):
        operator.govern("override", site.firm.tenant, "x", artefact)


def test_another_clients_complaint_is_not_told_and_refused_all_the_same(site):
    operator, index = site.operator, site.firm.index("angry@x.example")
    operator.database.run("SELECT suppress_v1(%s, '{2}', '{arf}', %s, '{NULL}')", [index], [site.other.tenant])
    site.firm.person("angry@x.example")
    put(site.visitor(site.member), "angry@x.example")
    admin = site.visitor(site.member)
    answer = found(admin, "angry@x.example")
    assert "omplain" not in answer.text.partition("All that is written")[2].partition("</table>")[0]
    way = f"/suppressions/override?who={sealed(answer)}"
    admin.get(way)
    assert "/changes/" in admin.post(way, hours="24", reason="They asked us to").url
    change, digest = operator.admin.execute("SELECT id, digest FROM change WHERE kind = 'override'").fetchone()
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never overridden"):
        operator.control.execute("SELECT approve_v1(%s, %s, %s)", (change, digest, operator.sessions[1]))


def test_the_database_bounds_an_override_whoever_approved_it(site):
    index = site.firm.index("sam@x.example")
    artefact = {"blind_index": index.hex(), "expires_at": "2036-01-01T00:00:00+00:00"}
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="ends within 168 hours"):
        site.operator.govern("override", site.firm.tenant, history.code(index), artefact)
    assert site.operator.admin.execute("SELECT count(*) FROM suppression_override").fetchone()[0] == 0


def test_an_override_needs_an_address_and_a_policy_that_permits_it(site):
    admin = site.visitor(site.member)
    assert admin.get("/suppressions/override").status == 404
    assert admin.get("/suppressions/override?who=nonsense").status == 404
    assert site.visitor(viewer(site)).get("/suppressions/override?who=x").status == 404


def test_an_opt_out_of_everything_is_never_overridden_either(site):
    operator, index = site.operator, site.firm.index("quiet@x.example")
    operator.database.run("SELECT suppress_v1(%s, '{3}', '{unsubscribe}', %s, '{NULL}')", [index], [site.firm.tenant])
    admin = site.visitor(site.member)
    answer = found(admin, "quiet@x.example")
    assert "no override is possible" in answer.text
    way = f"/suppressions/override?who={sealed(answer)}"
    admin.get(way)
    refused = admin.post(way, hours="24", reason="Please")
    assert refused.status == 422
    assert "opted out of all mail, and an opt-out is never overridden" in refused.text
    artefact = {"blind_index": index.hex(), "expires_at": "2036-01-01T00:00:00+00:00"}
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="never overridden"):
        operator.govern("override", site.firm.tenant, "x", artefact)
