"""The ledger's page: every kind of entry in a sentence, and looks at people's data on demand."""

import re
from pathlib import Path

import pytest
from tests.control.ledger.house import House
from tests.support import django_ready, pages  # noqa: F401  # the rooms below are imported outside a server

from troth.control.ledger.entries import _WORDS, _says

SOURCE = Path(__file__).parents[3] / "src" / "troth"
_KIND = re.compile(
    r"""['"]((?:access|backup|complaints|evidence|feedback|governance|people|privacy|reports|sending|trust|webhook)(?::[a-z-]+){2})['"]"""
)


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


def test_every_kind_that_is_written_has_a_sentence():
    sources = [path for ending in ("py", "sql") for path in SOURCE.rglob(f"*.{ending}") if path.name != "entries.py"]
    written = {kind for path in sources for kind in _KIND.findall(path.read_text())}
    assert len(written) > 15
    assert not written - _WORDS.keys()
    assert _says("trust:claim:check", {"claim": "c", "state": "holds"}) == "The promise “c” was checked: holds"
    assert (
        _says("cases:abuse:resolve", {"value": "confirmed"}) == "A report of abuse, on its timeline: resolve confirmed"
    )


def test_looks_are_shown_on_demand(site, tmp_path):
    house = House(site.firm, tmp_path)
    house.tell()
    member = site.visitor(site.member)
    member.get("/messages")
    house.seal()
    by_query = {query: member.get(f"/ledger{query}").text for query in ("", "?looks=with", "?seals=with",
                                                                       "?looks=with&seals=with")}  # fmt: skip
    assert ["access:message:list" in page for page in by_query.values()] == [False, True, False, True]
    assert ["evidence:batch:seal" in page for page in by_query.values()] == [False, False, True, True]
    assert "Somebody looked at a list of 1 message" in by_query["?looks=with"]
    assert "people:session:open" in by_query[""]
