"""The catalogue is that of the trust centres, and a fresh database is as the package ships it."""

import itertools
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from troth.control.audit import scope
from troth.control.ownership import TABLES
from troth.control.trust import catalogue, fences, plaintext, schema, shipped
from troth.control.trust.page import markdown

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "claims.toml"
ROW = '[[claim]]\nid = "X-1"\nsection = "s"\nscope = "programme"\nkind = "probed"\nsays = "x {value}"\nretail = "7"\n'


@pytest.fixture
def rows():
    if not SHARED.exists():
        pytest.skip("the shared claims are not beside this repository")
    return {row["id"]: row for row in tomllib.loads(SHARED.read_text())["claim"]}


def test_every_claim_is_there_with_its_kind_and_every_profiles_value(rows):
    ours = {claim.id: claim for claim in catalogue.claims()}
    assert ours.keys() == rows.keys()
    assert len(ours) == 108
    for name, row in rows.items():
        assert ours[name].kind == row["proof"], name
        assert dict(ours[name].values) == {p: row[p] for p in ("property", "construction", "retail") if p in row}, name
        assert ours[name].says != row["what"], f"{name} is not in our own words"


def test_sentences_are_filled_with_the_profiles_value():
    (made,) = catalogue.parse(ROW)
    assert made.sentence("retail") == "x 7"
    assert made.sentence() == "x 7"
    assert made.promised_by("retail")
    assert not made.promised_by("property")
    several = catalogue.claim("EML-3")
    assert several.sentence("property") != several.sentence("construction")
    assert " | " in several.sentence()


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (ROW + ROW, "twice"),
        (ROW.replace("programme", "planet"), "a scope"),
        (ROW.replace("probed", "guessed"), "a kind"),
        (ROW.replace("retail", "wholesale"), "no field"),
        (ROW.replace('retail = "7"\n', ""), "no profile"),
        (ROW.replace('says = "x {value}"\n', ""), "a sentence"),
    ],
)
def test_a_wrong_row_is_told(row, says):
    with pytest.raises(ValueError, match=says):
        catalogue.parse(row)


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
    assert not plaintext.readable(b"\x02short")
    assert not plaintext.readable(bytes(range(256)))


def test_functions_dropped_and_replaced_later_are_as_the_last_file_says():
    assert "insert_only" in shipped.functions()
    assert shipped.functions()["now_v1"].definer
    assert ("suppression", "no_truncate") in shipped.triggers()
    assert ("ledger_leaf", "insert_only") in shipped.triggers()
    assert shipped.triggers()["event", "insert_only"].events == {("update", frozenset()), ("delete", frozenset())}


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
