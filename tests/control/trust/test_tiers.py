"""ENC-7 and CPL-6 where nothing is broken: partitions have their table's tier, an upgrade mends, our own words claim none."""

from importlib.resources import files

import pytest

from troth.cli import standing_rules
from troth.control.approvals.artefacts.programme import Contacts, Programme, _claims
from troth.control.approvals.artefacts.subprocessor import Subprocessor
from troth.control.trust import tiers
from troth.control.trust.catalogue import claims
from troth.control.trust.controls import CONTROLS
from troth.control.trust.pending import pending
from troth.rules.certificates import claimed

NOTES = "CREATE TABLE troth.notes (day date NOT NULL) PARTITION BY RANGE (day)"
PART = "CREATE TABLE troth.notes_1 PARTITION OF troth.notes FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')"


@pytest.fixture
def admin(database):
    return database.open()


def test_every_table_carries_its_tier(admin):
    found, loose = tiers.carried(admin)
    assert list(tiers.wrong(found)) == loose == []
    assert {each.comment for each in found} == set(tiers.TIERS)
    assert "event" in {each.table for each in found}
    assert not any(each.table.startswith("event_2") for each in found), "a partition's tier is its table's"


def test_a_partition_has_its_tables_tier_and_no_other(admin):
    admin.execute(NOTES)
    admin.execute(PART)
    found, loose = tiers.carried(admin)
    assert list(tiers.wrong(found)) == ["notes carries none of the four tiers"]
    assert loose == []
    admin.execute("COMMENT ON TABLE troth.notes IS 'Public'")
    admin.execute("COMMENT ON TABLE troth.notes_1 IS 'Restricted'")
    assert tiers.carried(admin)[1] == ["notes_1, a part of notes, says a tier of its own"]


def test_what_ends_with_the_session_is_not_ours(admin):
    admin.execute("CREATE TEMPORARY TABLE mine (n integer)")
    found, _ = tiers.carried(admin)
    assert list(tiers.wrong(found)) == []


def test_an_upgrade_writes_the_tiers_that_differ_and_no_others(database, admin):
    admin.execute("COMMENT ON TABLE account IS 'Public'")
    admin.execute("COMMENT ON TABLE session IS NULL")
    with database.owner() as owner:
        written = [one for each in standing_rules.transactions(owner) for one in each if "COMMENT ON TABLE" in one]
        for statement in written:
            owner.execute(statement)
    assert sorted(one.split(" ")[3] for one in written) == ["troth.account", "troth.session"]
    assert list(tiers.wrong(tiers.carried(admin)[0])) == []


def test_a_database_without_the_schema_public_has_its_tiers_too(world):
    world.sql("ALTER SCHEMA public RENAME TO elsewhere")
    assert world.state("ENC-7") == "holds", world.why("ENC-7")


def test_our_own_words_claim_no_certificate():
    words = [text for claim in claims() for text in claim.says.values()] + [control.how for control in CONTROLS]
    words += [each.read_text() for each in files("troth.control.centre").joinpath("words").iterdir()]
    words += [pending(claim.id) for claim in claims()]
    assert [(text[:60], found) for text in words if (found := claimed(text))] == []


def test_a_programme_that_claims_one_is_not_proposed():
    plain = Programme("Homes", "property", "homes.example")
    assert _claims(plain) == []
    aws = Subprocessor("A cloud", "Hosting, ISO 27001", "Letters", "IE", "2026-01-01")
    proud = Programme("SOC\u00a02 Homes", "property", "homes.example", Contacts(postal="PCI-DSS House"), [aws])
    assert [problem.field for problem in _claims(proud)] == ["name", "contacts.postal", "subprocessors.0.purpose"]
    assert {problem.code for problem in _claims(proud)} == {"certificate"}
