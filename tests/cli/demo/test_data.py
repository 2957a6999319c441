"""The demo's data is sound: packs, cast, asks and the reviewed expectations fit each other."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from troth.cli.demo import command, packs
from troth.cli.demo.asks import asks, private_words
from troth.cli.demo.expected import bombs, expected
from troth.cli.demo.firms import cast
from troth.cli.words import CommandError
from troth.mail.building import Source, matches
from troth.mail.lint import lint
from troth.mail.render import Compiled, RenderLimits, TemplateSource
from troth.mail.samples import largest, smallest
from troth.mail.trying import Try
from troth.mail.variables import check
from troth.outside.template_child import try_in_child

PACKS = packs.names()


@pytest.mark.parametrize("pack", PACKS)
def test_every_pack_may_be_proposed_and_renders_at_its_extremes(pack):
    _, artefact = packs.template(pack)
    source = TemplateSource(artefact["subject"], artefact["html"], artefact["text"])
    assert lint(source.subject, source.html, source.text, artefact["schema"]) == []
    for variables in (smallest(artefact["schema"]), largest(artefact["schema"])):
        Compiled(source).render(variables, RenderLimits())


class Tables(HTMLParser):
    """Rows that stand in no tbody or thead, elements left open, and sources from outside."""

    VOID = frozenset({"meta", "br", "img", "link"})

    def __init__(self):
        super().__init__()
        self.open, self.faults = [], []

    def handle_starttag(self, tag, attrs):
        if tag == "tr" and self.open[-1] not in ("tbody", "thead"):
            self.faults.append(f"tr in {self.open[-1]}")
        self.faults += [f"{tag} {name}" for name, _ in attrs if name in ("src", "background") or name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if self.open.pop() != tag:
            self.faults.append(f"</{tag}>")


@pytest.mark.parametrize("pack", PACKS)
def test_every_pack_is_well_made_html_for_mail(pack):
    html = packs.template(pack)[1]["html"]
    seen = Tables()
    seen.feed(re.sub(r"\{%.*?%\}", "", html))
    assert seen.faults == []
    assert seen.open == []
    for part in (
        "prefers-color-scheme: dark",
        "max-width:600px",
        "mso-hide:all",
        'lang="en"',
        '<meta name="color-scheme"',
    ):
        assert part in html


def test_a_pack_of_mjml_is_what_its_source_makes():
    _, artefact = packs.template("property/maintenance-visit")
    source = msgspec.convert(artefact["source"], Source)
    assert source.kind == "mjml"
    assert matches(source, artefact["html"], artefact["text"])
    asked = Try(artefact["subject"], source, artefact["schema"], artefact["samples"])
    assert try_in_child(asked).problems == []


def test_the_cast_names_only_packs_and_categories_that_are_there():
    for programme in cast().programme:
        for tenant in (programme.system, programme.firm):
            codes = {category.code for category in tenant.category}
            for category in tenant.category:
                for pack in category.templates:
                    assert packs.template(pack)[1]["category"] == category.code
            assert all(set(key.categories or codes) <= codes for key in tenant.key)


def test_each_ask_has_its_expectations_and_each_expectation_its_ask():
    rows = {row: ask.firm for ask in asks().values() for row in ask.rows}
    assert rows == {each.id: each.firm for each in expected().values()}
    assert len(rows) > 30
    assert len(bombs()) >= 4


def test_the_story_has_every_kind_of_end():
    states = {each.state for each in expected().values()}
    assert states == {"sent", "held", "cancelled", "bounced", "suppressed", "expired", "failed", "refused"}
    assert len({each.reason for each in expected().values() if each.state == "refused"}) >= 15


def test_what_is_private_can_be_searched_for():
    """Eight characters at least, and nowhere in what is stored in plain: templates and the cast."""
    stored = "".join(file.read_text() for file in packs.FOLDER.rglob("*.*"))
    stored += (packs.FOLDER.parent / "firms.toml").read_text()
    words = set(private_words(asks())) - {""}
    assert all(len(word) >= 8 for word in words), [word for word in words if len(word) < 8]
    assert [word for word in words if word in stored] == []


def test_variables_fit_unless_the_story_wants_them_not_to():
    schemas = {packs.template(pack)[0]: packs.template(pack)[1]["schema"] for pack in PACKS}
    for ask in asks().values():
        template = ask.body.get("template", {})
        if template.get("id") in schemas:
            fits = check(template.get("variables", {}), schemas[template["id"]]) == []
            assert fits is (ask.id != "variables-misfit"), ask.id


def test_an_address_that_is_named_twice_is_one_message():
    assert asks()["twice-named"].rows == {"twice-named": "octavia.wrenfield3126@saltmarket.test"}
    assert list(asks()["household"].rows) == ["household/1", "household/2", "household/3", "household/4"]


def test_a_pack_is_printed_as_the_artefact_that_is_proposed(capsys):
    command.pack("system/new-device")
    assert json.loads(capsys.readouterr().out) == packs.template("system/new-device")[1]
    with pytest.raises(CommandError, match="There is no pack 'nothing'; there are: construction/"):
        command.pack("nothing")


def test_nothing_of_the_letter_is_left_open():
    for pack in PACKS:
        assert "[[" not in packs.template(pack)[1]["html"], pack


def test_who_the_docs_say_to_register_has_a_domain_that_the_demos_dns_knows():
    page = (Path(__file__).resolve().parents[3] / "docs" / "demo.md").read_text("utf-8")
    known = {to.rpartition("@")[2] for ask in asks().values() for to in ask.recipients} | cast().mail_domains()
    (told,) = re.findall(r'"email": "[^@"]+@([^"]+)"', page)
    assert told in known
    (listed,) = re.findall(r"domains of its cast alone: (.*?)\. An address", page, re.DOTALL)
    assert set(re.findall(r"`([a-z.]+)`", listed)) == known
