"""The public forms, read: each fault names its field and the way out, and nothing that was typed is lost."""

import pytest

from troth.control.abuse.typed import ABUSE, HOW, SOURCE, WEAKNESS

GOOD_ABUSE = {"what": "deceives", "source": "Received: x", "words": "", "address": "ann@example.net"}
GOOD_WEAKNESS = {"title": "XSS", "where": "/x", "how": "1. open", "severity": "unsure", "credit": "no", "name": "",
                 "address": ""}  # fmt: skip


@pytest.mark.parametrize(("form", "given"), [(ABUSE, GOOD_ABUSE), (WEAKNESS, GOOD_WEAKNESS)])
def test_what_is_whole_has_no_faults(form, given):
    assert form.faults(form.read(given)) == {}


@pytest.mark.parametrize(
    ("change", "field"),
    [({"what": "nonsense"}, "what"), ({"source": ""}, "source"), ({"address": "no address"}, "address"),
     ({"source": "x" * (SOURCE + 1)}, "source"), ({"words": "x" * 4_001}, "words")],
)  # fmt: skip
def test_a_fault_of_an_abuse_report_names_its_field(change, field):
    assert list(ABUSE.faults(ABUSE.read({**GOOD_ABUSE, **change}))) == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"title": ""}, "title"), ({"where": " "}, "where"), ({"how": ""}, "how"), ({"severity": ""}, "severity"),
     ({"credit": "perhaps"}, "credit"), ({"credit": "yes"}, "name"), ({"how": "x" * (HOW + 1)}, "how")],
)  # fmt: skip
def test_a_fault_of_a_disclosure_names_its_field(change, field):
    assert list(WEAKNESS.faults(WEAKNESS.read({**GOOD_WEAKNESS, **change}))) == [field]


def test_faults_come_in_the_order_of_the_form():
    assert list(WEAKNESS.faults(WEAKNESS.read({}))) == ["title", "where", "how", "severity", "credit"]


def test_controls_go_and_lines_stay():
    assert ABUSE.read({"source": "a\0\r\nb\tc\x1b[1m"})["source"] == "a\nb\tc[1m"
