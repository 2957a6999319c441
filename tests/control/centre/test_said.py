"""What is said in public: no name of anybody, every language whole, a picture that reads without its colour."""

import re
import tomllib
from importlib.resources import files

import pytest

from troth.control.centre import drawn, said
from troth.control.centre.words import LANGUAGES, table, words
from troth.control.trust.catalogue import CHAPTERS, claims
from troth.control.trust.controls import CONTROLS
from troth.control.trust.found import State
from troth.control.trust.pending import pending
from troth.control.trust.strokes import strokes

ENGLISH_ALONE = ("away", "missing")


def flat(told, above=""):
    for key, value in told.items():
        if isinstance(value, dict):
            yield from flat(value, f"{above}{key}.")
        else:
            yield above + key, value


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_every_language_has_every_word_with_the_same_places(language):
    read = {code: dict(flat(table(f"words/{code}.toml"))) for code in ("en", language)}
    wanted = {key: text for key, text in read["en"].items() if key.split(".")[0] not in ENGLISH_ALONE}
    assert read[language].keys() == wanted.keys()
    for key, text in wanted.items():
        assert set(re.findall(r"{\w+}", read[language][key])) == set(re.findall(r"{\w+}", text)), key
    assert len(words(language).told["months"].split()) == 12


def test_every_chapter_section_and_owner_has_its_words():
    for language in LANGUAGES:
        told = words(language).told
        assert {claim.section for claim in claims()} <= told["section"].keys()
        assert {claim.owner for claim in claims()} <= told["owner"].keys()
        assert {*CHAPTERS, "overview", "pillars"} <= told["chapter"].keys()
        assert set(CHAPTERS) == told["tally"].keys()


def test_each_claim_without_a_check_says_what_will_give_it_one():
    checked = {control.claim for control in CONTROLS}
    assert {claim.id for claim in claims() if pending(claim.id)} == {claim.id for claim in claims()} - checked


@pytest.mark.parametrize(
    ("why", "public"),
    [
        ("rent@mail.client.example was written to", "[withheld] was written to."),
        ("3 of 40 hold, such as 018f2c1e-aaaa-7bbb-8ccc-0123456789ab", "3 of 40 hold, such as [withheld]."),
        ("mail.client.example publishes no SPF", "[withheld] publishes no SPF."),
        ("message msg_a_0123456789abcdefgh is not sealed", "Message [withheld] is not sealed."),
        ("the digest deadbeef00112233 differs", "The digest [withheld] differs."),
        ("192.0.2.7 is listed, and 2001:db8::7", "[withheld] is listed, and [withheld]."),
        ("the control itself failed: KeyError: 'ann'", "The control itself failed."),
        ("/var/lib/troth/keys is not there", "[withheld] is not there."),
        ("12 of 13 in 72 h, 99.2 %", "12 of 13 in 72 h, 99.2 %."),
        ("it was last checked 7.2 hours ago", None),
    ],
)
def test_a_reason_names_nobody(why, public):
    assert said.reasons([why]) == ([public] if public else [])


def test_a_long_reason_is_cut():
    assert len(said.reasons(["x " * 500])[0]) <= 241


def test_figures_are_numbers_and_days_alone():
    seen = {
        "attempts_refused": 4, "share": "99.2 %", "newest": "2026-11-20T10:00:00+00:00", "client": "Quay", "ok": True,
        "host": "a.example", "some_thing": 7, "rate": 1.5, "list": ["a"], "x@y": 3, "none": None,
    }  # fmt: skip
    assert said.figures(seen) == [
        "4 attempts to break it, all refused", "share 99.2 %", "newest: 2026-11-20", "some thing: 7", "rate: 1.50",
    ]  # fmt: skip


def test_a_broken_stroke_stands_out_of_line():
    drawn_there = strokes([State.HOLDS, State.FAILS, State.STALE, State.HOLDS])
    assert drawn_there.kept == "M1.5 4V48M22.5 4V48"
    assert drawn_there.broken == "M8.5 0v20M12.0 30v22"
    assert drawn_there.unknown == "M15.5 34V48"


def test_the_days_are_drawn_to_the_right_edge():
    there = dict(drawn.past(("holds",) * 10 + ("fails",) + ("holds", "no data yet")))
    assert there == {
        "before": "M0 13h140",
        "kept": "M141 8h29m4 0h2",
        "broken": "M171 15h2",
        "none": "M177 13h2",
    }
    assert drawn.past((None,) * 60) == drawn.past(()) == ()


def test_amounts_are_bold_and_nothing_gets_in():
    assert (
        said.strong("after 48 h, 3 times, of TLS 1.3 <b>") == "after <b>48 h</b>, <b>3 times</b>, of TLS 1.3 &lt;b&gt;"
    )


def test_the_words_are_toml_that_reads():
    for language in LANGUAGES:
        assert tomllib.loads((files("troth.control.centre") / "words" / f"{language}.toml").read_text(encoding="utf-8"))
