"""Letters to abuse@ and security@: each a case with all of it sealed, matched by our tokens; a flood is a number."""

import pytest
from tests.flow.feedback import desk_world
from tests.flow.feedback.desk_world import DOMAIN

from troth.flow.feedback import desks
from troth.keys import case_tags
from troth.keys.installation import Purpose
from troth.mail.arrived import Verdict
from troth.store.desks import Room

LETTER = "From: Ann <ann@example.net>\r\nSubject: this is spam\r\nMessage-ID: <one@example.net>\r\n\r\nI never asked for it.\r\n"
FORWARDED = (
    "From: Ann <ann@example.net>\r\nSubject: Fwd: Rent\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\n\r\nlook at this\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{}\r\nDear Ann\r\n--b--\r\n"
)
ARF = (
    "From: reports@provider.example\r\nSubject: complaint\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n--b\r\n\r\nsee\r\n--b\r\n"
    "Content-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: x\r\nVersion: 1\r\n\r\n--b\r\n"
    "Content-Type: message/rfc822\r\n\r\n{}\r\nDear Ann\r\n--b--\r\n"
)


@pytest.fixture
async def world(operator):
    made = await desk_world.world(operator)
    yield made
    await desk_world.end(made)


async def test_whose_addresses_are_ours(world):
    desk = world.desks.abuse
    ours = (f"abuse@{DOMAIN}", f"Abuse+x@{DOMAIN.upper()}", "abuse@firm.example", "abuse+tag@FIRM.example")
    assert [await desk.knows(each) for each in ours] == [True] * 4
    others = (f"security@{DOMAIN}", f"abuses@{DOMAIN}", "abuse@elsewhere.example", "abuse", "postmaster")
    assert [await desk.knows(each) for each in others] == [False] * 5
    assert await world.desks.security.knows("security@firm.example")


async def test_a_letter_is_a_case_with_all_of_it_sealed(world):
    assert await world.bring(LETTER) is Verdict.TAKEN
    [(kind, cause, reference, state, tenant, message)] = world.cases()
    assert (kind, cause, state, tenant, message) == ("abuse", "letter", "open", None, None)
    assert reference.startswith("ABU-")
    words, papers = world.opened(world.case())
    assert [kind for kind, _ in words] == ["open", "letter"]
    assert words[1][1].startswith("From: ann@example.net\nSubject: this is spam\n")
    assert "I never asked for it." in words[1][1]
    assert papers[0].startswith(
        b"Return-Path: ann@example.net\r\nX-Troth-Peer: 192.0.2.7\r\nX-Troth-To: abuse@in.example\r\n"
    )
    assert papers[0].endswith(LETTER.encode())
    assert set(world.clocks(world.case())) == {"acknowledge", "resolve"}
    assert not any(b"never asked" in bytes(ct) for (ct,) in world.rows("SELECT paper_ct FROM case_paper"))
    assert world.rows("SELECT 1 FROM suppression") == []


async def test_the_same_letter_again_changes_nothing(world):
    for _ in range(3):
        assert await world.bring(LETTER) is Verdict.TAKEN
    assert len(world.cases()) == 1
    assert len(world.rows("SELECT 1 FROM case_paper")) == 1


@pytest.mark.parametrize("letter", [FORWARDED, ARF])
async def test_it_is_matched_by_our_tokens_to_message_client_and_template(world, letter):
    message = await world.send()
    assert await world.bring(letter.format(world.header(message))) is Verdict.TAKEN
    assert world.rows("SELECT cause, tenant_id, programme_id, message_id, category_id, template_subject FROM case_file") == [
        ("feedback-report" if letter is ARF else "letter", world.firm.tenant, world.firm.programme, message,
         world.firm.category, world.firm.template)
    ]  # fmt: skip
    assert str(message) in world.opened(world.case())[0][1][1]


async def test_a_message_id_counts_only_under_its_senders_domain(world):
    message = await world.send()
    await world.bring(LETTER + f"<{message.hex}@elsewhere.example>")
    await world.bring(LETTER + f"<{message.hex}@{world.firm.name}>")
    assert [row[5] for row in world.cases()] == [None, message]


async def test_a_letter_to_a_programmes_own_address_is_that_programmes(world):
    await world.bring(LETTER, to="security@firm.example")
    assert world.rows("SELECT kind, programme_id FROM case_file") == [("disclosure", world.firm.programme)]
    assert set(world.clocks(world.case())) >= {"acknowledge", "assess"}


async def test_answering_machines_open_nothing(world):
    for text, path in (
        ("Auto-Submitted: auto-replied\r\n" + LETTER, "ann@example.net"),
        (LETTER, "<>"),
        ("X-Autoreply: yes\r\n" + LETTER, "ann@example.net"),
        (FORWARDED.format("x: y").replace("message/rfc822", "message/delivery-status"), "ann@example.net"),
    ):
        assert await world.bring(text, path=path) is Verdict.AUTOMATIC
    assert world.cases() == []


async def test_further_letters_join_their_case(world):
    await world.bring(LETTER)
    case = world.case()
    [(reference,)] = world.rows("SELECT reference FROM case_file")
    tag = case_tags.tag(world.operator.secrets.token_keys(Purpose.CASE)[0], case)
    await world.bring(LETTER + "more", to=f"abuse+{tag}@{DOMAIN}", path="somebody@else.example")
    await world.bring(LETTER.replace("this is spam", f"Re: {reference.lower()}: we have it"))
    assert len(world.cases()) == 1
    assert [kind for kind, _ in world.opened(case)[0]] == ["open", "letter", "letter", "letter"]


async def test_a_strangers_reference_opens_a_case_of_its_own(world):
    """Anybody can count: no report may vanish into another's case."""
    await world.bring(LETTER)
    [(reference,)] = world.rows("SELECT reference FROM case_file")
    await world.bring(LETTER.replace("ann@", "eve@").replace("this is spam", reference))
    forged = case_tags.tag(b"x" * 32, world.rows("SELECT id FROM case_file LIMIT 1")[0][0])
    await world.bring(LETTER.replace("ann@", "joe@"), to=f"abuse+{forged}@{DOMAIN}")
    assert len(world.cases()) == 3


async def test_a_flood_is_kept_aside_and_counted(world, monkeypatch):
    monkeypatch.setattr(desks, "ROOM", Room(most=5, each=2, octets=1_000_000))
    for n in range(4):
        assert await world.bring(LETTER + f"{n}") is Verdict.TAKEN
    assert len(world.cases()) == 2
    for n in range(6):
        await world.bring(LETTER.replace("example.net", f"d{n}.example"))
    assert len(world.cases()) == 5
    assert world.rows("SELECT desk, reason, count(*) FROM inbound_letter GROUP BY 1, 2") == [("abuse", "flood", 5)]
    monkeypatch.setattr(desks, "ROOM", Room(most=100, each=100, octets=10))
    await world.bring(LETTER + "large")
    assert len(world.cases()) == 5


async def test_made_up_senders_keep_no_signed_letter_out(world, monkeypatch):
    monkeypatch.setattr(desks, "ROOM", Room(most=3, each=2, octets=1_000_000))
    for n in range(5):
        await world.bring(LETTER.replace("example.net", f"d{n}.example"))
    assert len(world.cases()) == 3
    world.aligned = True
    assert await world.bring(LETTER + "signed") is Verdict.TAKEN
    assert len(world.cases()) == 4
    assert world.rows("SELECT desk, n FROM desk_day WHERE source = '' ORDER BY 1") == [
        ("abuse", 3),
        ("abuse:signed", 1),
    ]


async def test_forms_and_letters_are_answered_out_of_two_purses(world, monkeypatch):
    monkeypatch.setattr(desks, "ACKNOWLEDGED", 1)
    world.aligned = True
    await world.bring(LETTER)
    world.operator.database.fill("UPDATE case_file SET cause = 'form'")
    for name in ("joe", "eve"):
        await world.bring(LETTER.replace("ann@", f"{name}@"))
    assert len(world.rows("SELECT 1 FROM case_letter")) == 2


async def test_nothing_that_comes_raises(world):
    for octets in (b"", b"\xff\xfe\r\n\r\n\xff", b"From: a@b.example, c@d.example\r\n\r\n", b"Subject: =?x?q?=ff?=\r\n\r\n",
                   b"From: <>\r\nIn-Reply-To: " + b"<" * 9000 + b"\r\n\r\n", b"Content-Type: multipart/mixed; boundary=\r\n\r\n"):  # fmt: skip
        assert await world.bring(octets.decode("latin-1"), to=f"security@{DOMAIN}") is Verdict.TAKEN
    assert len(world.cases()) == 6


async def test_what_is_long_is_cut_in_the_timeline_and_kept_whole(world):
    await world.bring(LETTER + "word " * 20_000)
    words, papers = world.opened(world.case())
    assert words[1][1].endswith("[…]")
    assert len(papers[0]) > 100_000
