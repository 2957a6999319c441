"""A programme's contacts: what is proposed is checked field by field, and shown in words."""

from types import SimpleNamespace
from uuid import uuid4

import pytest
from tests.support import django_ready  # noqa: F401  # the rooms below are imported outside a server
from tests.support.firm import now

from troth.control.approvals.artefacts.programme import check
from troth.control.approvals.asked import Asked
from troth.control.approvals.pictures import firm
from troth.control.audit.refusals import Invalid

GOOD = {"name": "Lettings", "profile": "property", "domain": "lettings.example"}
CONTACTS = {"abuse": "abuse@lettings.example", "security": "security@lettings.example", "privacy": "dpo@lettings.example",
            "languages": ["en", "pt-BR"], "encryption": "https://lettings.example/key.asc",
            "policy": "https://lettings.example/rules"}  # fmt: skip


def problems(**contacts):
    artefact = {**GOOD, "contacts": {**CONTACTS, **contacts}}
    return [each.field for each in check(Asked(None, None, uuid4(), "lettings", artefact, now()))]


def test_with_and_without_contacts_it_is_whole():
    assert problems() == []
    assert check(Asked(None, None, uuid4(), "lettings", GOOD, now())) == []
    assert problems(abuse="", languages=[], encryption="", policy="") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [({"abuse": "nobody"}, "contacts.abuse"), ({"security": "a@b c"}, "contacts.security"),
     ({"privacy": "<x@y.example>"}, "contacts.privacy"), ({"languages": ["english please"]}, "contacts.languages"),
     ({"languages": ["en"] * 11}, "contacts.languages"), ({"encryption": "http://x.example/k"}, "contacts.encryption"),
     ({"policy": "https://x.example/a\nContact: mailto:evil@x.example"}, "contacts.policy"),
     ({"telephone": "1"}, "contacts.telephone"), ({"postal": "1 High Street\x1b[2J"}, "contacts.postal")],
)  # fmt: skip
def test_each_fault_names_its_field(change, field):
    assert problems(**change) == [field]


def test_an_unknown_contact_is_refused():
    with pytest.raises(Invalid):
        problems(fax="1")


def test_the_picture_tells_the_contacts_in_words():
    seen = SimpleNamespace(artefact={**GOOD, "contacts": CONTACTS}, before=GOOD, code="lettings")
    told = {label: (before, after) for label, before, after, _ in firm.programme(None, seen).rows}
    assert told["Reports of weaknesses go to"] == ("", "security@lettings.example")
    assert told["Languages of the security desk"] == ("", "en, pt-BR")
    assert told["Name"] == ("Lettings", "Lettings")
