"""The catalogue is that of the trust centres, and a fresh database is as the package ships it."""

import itertools
import re
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from troth.control.approvals.shown import shown
from troth.control.audit import scope
from troth.control.ownership import TABLES
from troth.control.trust import catalogue, fences, plaintext, schema, shape, shipped
from troth.control.trust.controls import CONTROLS
from troth.control.trust.page import markdown
from troth.control.trust.shape import Trigger
from troth.rules.profile import PROFILES

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "claims.toml"
ROW = """[[claim]]
id = "X-1"
section = "s"
scope = "programme"
kind = "probed"
chapter = "email"
owner = "security"
audience = "public"
frameworks = []
profiles = ["retail"]
says = "x"
"""
_FRAMEWORK = re.compile(
    r"GDPR Art\. \d+(\(\w\))*|CCPA 1798\.\d+(\(\w\))*|CAN-SPAM \d+(\(\w+\))*|CASL \d+(\(\w\))*|ASVS 5\.0 V\d+\.\d+"
)


def operator_roles():
    return "owner security deliverability compliance ops-admin support auditor".split()


@pytest.fixture
def rows():
    if not SHARED.exists():
        pytest.skip("the shared claims are not beside this repository")
    return {row["id"]: row for row in tomllib.loads(SHARED.read_text())["claim"]}


def test_every_claim_is_there_with_its_kind_and_the_profiles_that_promise_it(rows):
    ours = {claim.id: claim for claim in catalogue.claims()}
    assert ours.keys() == rows.keys()
    assert len(ours) == 108
    for name, row in rows.items():
        assert ours[name].kind == row["proof"], name
        assert ours[name].profiles == tuple(each for each in PROFILES if each in row), name
        assert row["what"] not in ours[name].says.values(), f"{name} is not in our own words"


def test_every_claim_has_somebody_who_answers_for_it_and_a_chapter():
    staff = {each.strip() for each in operator_roles()}
    for claim in catalogue.claims():
        assert claim.owner in staff, claim.id
        assert claim.chapter in catalogue.CHAPTERS
    assert {claim.chapter for claim in catalogue.claims()} == set(catalogue.CHAPTERS)


def test_frameworks_are_named_in_one_way():
    for claim in catalogue.claims():
        for each in claim.frameworks:
            assert _FRAMEWORK.fullmatch(each), (claim.id, each)
    named = {each.split()[0] for claim in catalogue.claims() for each in claim.frameworks}
    assert named == {"GDPR", "CCPA", "CAN-SPAM", "CASL", "ASVS"}


def test_a_control_is_one_file_named_after_its_claim():
    """By these names four eyes know which promises can be shown."""
    assert shown() == {control.claim for control in CONTROLS}


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (ROW + ROW, "twice"),
        (ROW.replace("programme", "planet"), "a scope"),
        (ROW.replace("probed", "guessed"), "a kind"),
        (ROW.replace("email", "letters"), "a chapter"),
        (ROW.replace("public", "nobody"), "a chapter of the page and an audience"),
        (ROW + 'wholesale = "x"\n', "no field"),
        (ROW.replace('["retail"]', "[]"), "no profile"),
        (ROW.replace('["retail"]', '["wholesale"]'), "no profile"),
        (ROW + 'property = "x"\n', "does not promise it"),
        (ROW.replace('says = "x"\n', ""), "no says"),
        (ROW.replace('says = "x"\n', 'says = ""\n'), "a sentence"),
        (ROW.replace('owner = "security"\n', ""), "no owner"),
    ],
)
def test_a_wrong_row_is_told(row, says):
    with pytest.raises(ValueError, match=says):
        catalogue.parse(row)


def test_what_a_profile_does_not_promise_has_no_sentence():
    with pytest.raises(ValueError, match="not promised by property"):
        catalogue.shipped("SND-3", "property")
    with pytest.raises(ValueError, match="not promised"):
        catalogue.shipped("NON-1", "property")


def test_the_page_has_every_claim():
    page = markdown()
    for claim in catalogue.claims():
        assert f"| {claim.id} |" in page


@pytest.fixture
def live(database):
    with scope.connect(database.conninfo("troth_control"), "claims test") as connection:
        yield schema.read(connection)


def test_a_fresh_database_is_as_shipped_in_every_table_and_function(live):
    assert list(fences.house(live)) == []
    assert list(fences.tables(live, *(table.name for table in TABLES))) == []
    assert list(fences.functions(live, *live.functions)) == []
    assert {name for name, _ in live.triggers} <= {table.name for table in TABLES}


def test_every_column_that_can_hold_words_is_listed_and_every_sealed_one_is_fenced(live):
    assert list(plaintext.unlisted(live)) == [], "add it to control/trust/columns.toml"
    assert list(plaintext.unfenced(live)) == []
    known = {(table, column) for table, there in live.columns.items() for column in there}
    assert {(table, column) for table, column, _ in plaintext.of_class(*plaintext.CLASSES)} <= known


def test_what_can_be_read_is_told_from_ciphertext():
    assert plaintext.readable(b"\x02Dear Ann, the rent is due")
    for words in ("Die Miete für Juli ist fällig", "家賃のお知らせ、七月分です。", '{"to": "zoë@people.example"}'):
        assert plaintext.readable(b"\x01" + words.encode())
    assert not plaintext.readable(b"\x02short")
    assert not plaintext.readable(bytes(range(256)))
    # chance may draw so many that show something: a sealed {} is no longer than this
    assert not plaintext.readable(b"\x01" + b"a" * 26 + b"\x00\x9f\xff\xfe")


def test_functions_dropped_and_replaced_later_are_as_the_last_file_says():
    assert "insert_only" in shipped.functions()
    assert shipped.functions()["now_v1"].definer
    assert Trigger("no_truncate", "insert_only", row=False) in shape.triggers("suppression")
    assert Trigger("insert_only", "insert_only", row=True) in shape.triggers("ledger_leaf")


def test_a_fence_names_what_is_no_function_of_ours(live):
    assert list(fences.functions(live, "nonsense")) == ["nonsense is no function of this version"]
    assert list(fences.not_null(live, "person", "nonsense")) == ["person.nonsense may be empty"]


def test_of_two_files_that_make_one_function_the_later_depends_on_the_earlier():
    """Otherwise the order of the migrations, and so what stands in the database, would be left to chance."""
    needs = {each: set(before) for each, before in shipped.migrations().items()}
    makers = {}
    for each in TopologicalSorter(shipped.migrations()).static_order():
        needs[each] |= {further for before in needs[each] for further in needs[before]}
        for made in shipped.functions_of(shipped.sql_of(each)):
            makers.setdefault(made, []).append(each)
    assert len(makers["ledger_append_v1"]) > 1
    for made, there in makers.items():
        for earlier, later in itertools.pairwise(there):
            assert earlier in needs[later], f"{made} is made by {later} without a word of {earlier}"
