"""A complaint that a loop signs about a message of ours is carried out at once and once; nothing else changes anything."""

import socket
from uuid import uuid4

import pytest
from tests.flow.feedback.complained import (
    ANN,
    DOMAIN,
    FBL,
    PROVIDER,
    STRANGER,
    arf,
    desk,
    dns,
    header_of,
    jmrp,
)  # fmt: skip
from tests.flow.feedback.telling import together

from troth.flow.feedback.complaints import NoAnswer
from troth.keys import places
from troth.mail.arrived import Verdict
from troth.rules.states import Kind, State

__all__ = ["desk", "dns"]


async def test_a_believed_report_suppresses_opens_a_case_and_marks_the_template(desk):
    (message,) = await desk.sent()
    loop = desk.loop()
    assert await desk.take(arf(desk.returned())) is Verdict.TAKEN
    assert desk.river.state(message) is State.SENT
    kind, detail = desk.last(message)
    assert kind is Kind.COMPLAINED
    assert (detail["loop"], detail["feedback_type"], detail["source_ip"]) == ("provider", "abuse", "192.0.2.7")
    assert desk.river.suppressed(ANN) == [(4, f"complaint:{message}")]
    index, sealed = desk.query("SELECT blind_index, address_ct FROM suppression")[0]
    assert desk.operator.open(bytes(sealed), places.suppression(bytes(index))) == ANN.encode()
    [(case, cause, title, tenant)] = desk.query("SELECT id, cause, title, tenant_id FROM case_file")
    assert (cause, tenant) == ("complaint", desk.river.tenant)
    assert title == "A recipient complained: template “rent-reminder”, version 1"
    assert desk.query("SELECT case_id, loop_id, via, kind FROM complaint") == [(case, loop, "fbl", "abuse")]
    assert desk.query("SELECT snapshot_id, version, cleared_at FROM template_flag") == [
        (desk.river.snapshots[desk.river.template], 1, None)
    ]
    [(name, within)] = desk.query("SELECT name, due_at - started_at FROM case_clock")
    assert (name, round(within.total_seconds() / 3600, 2)) == ("review", 4)  # the profile "property"
    assert desk.numbers() == {"abuse": (1, 1)}
    assert desk.kept() == []
    times = desk.query(
        "SELECT max(e.at), s.created_at, c.at FROM event e, suppression s, complaint c WHERE e.kind = 14 GROUP BY 2, 3"
    )[0]
    assert (max(times) - min(times)).total_seconds() < 1


async def test_how_the_recipient_came_to_be_one_is_in_the_case_sealed(desk):
    (message,) = await desk.sent()
    desk.loop()
    desk.river.database.fill(
        "INSERT INTO consent (id, tenant_id, person_id, category_id, kind, basis, at, detail_ct)"
        " VALUES (%s, %s, %s, %s, 1, 'web-form', '2026-01-02T10:00Z', '\\x02ff')",
        uuid4(), desk.river.tenant, desk.river.people[ANN].id, desk.river.category,
    )  # fmt: skip
    letter = PROVIDER.sign(arf(desk.returned()))
    await desk.take(letter, signer=None)
    entries = desk.query("SELECT id, kind, words_ct FROM case_entry ORDER BY at, id")
    said = [(kind, desk.operator.open(bytes(w), places.case_words(id_)).decode()) for id_, kind, w in entries if w]
    assert [kind for _, kind, _ in entries] == ["open", "report"]
    assert [kind for kind, _ in said] == ["open"], "said once: the report is the paper"
    assert "Told by Provider’s feedback loop (provider) as “abuse”" in said[0][1]
    assert "by a link in a confirmation mail (confirmation-link)" in said[0][1]
    assert "Consent: express consent (web-form), 2026-01-02 10:00 UTC." in said[0][1]
    assert str(message) in said[0][1]
    assert ANN not in said[0][1]
    [(paper, sealed)] = desk.query("SELECT id, paper_ct FROM case_paper")
    assert desk.operator.open(bytes(sealed), places.case_paper(paper)) == letter


@pytest.mark.parametrize(
    "shape",
    [
        lambda whole: arf(header_of(whole, "return-path")),
        lambda whole: arf(header_of(whole, "list-unsubscribe")),
        lambda whole: arf(header_of(whole, "subject"), more=f"Original-Mail-From: {_path(whole)}\r\n"),
        lambda whole: arf(whole, to="", kind="fraud"),
        jmrp,
    ],
    ids=["return-path", "list-unsubscribe", "mail-from", "redacted", "microsoft"],
)
async def test_any_of_our_tokens_names_the_message(desk, shape):
    (message,) = await desk.sent()
    desk.loop()
    await desk.take(shape(desk.returned()), to=f"FBL+provider@{DOMAIN}")
    assert desk.river.suppressed(ANN) == [(4, f"complaint:{message}")]


def _path(whole):
    return whole.split(b"\r\n")[0].partition(b": ")[2].decode()


async def test_the_same_told_twice_or_by_two_loops_is_one_case(desk):
    (message,) = await desk.sent()
    desk.loop()
    for _ in range(3):
        await desk.take(arf(desk.returned(), more="Incidents: 2\r\n"))
    assert desk.river.told(message) == [Kind.SENT, Kind.COMPLAINED]
    assert desk.numbers() == {"abuse": (3, 1)}
    desk.loop("stranger", ("stranger.example",), "a@stranger.example")
    await desk.take(arf(desk.returned(), sender="a@stranger.example"), signer=STRANGER)
    assert desk.river.told(message) == [Kind.SENT, Kind.COMPLAINED, Kind.COMPLAINED]
    assert desk.query("SELECT count(*), count(DISTINCT case_id) FROM complaint") == [(2, 1)]
    assert desk.query("SELECT count(*) FROM case_file") == [(1,)]
    assert desk.query("SELECT count(*) FROM case_entry WHERE kind = 'report'") == [(2,)]
    assert desk.query("SELECT count(*) FROM template_flag") == [(1,)]


async def test_six_at_once_are_one(desk):
    (message,) = await desk.sent()
    desk.loop()
    letter = PROVIDER.sign(arf(desk.returned()))
    assert set(await together(*(desk.take(letter, signer=None) for _ in range(6)))) == {Verdict.TAKEN}
    assert desk.river.told(message) == [Kind.SENT, Kind.COMPLAINED]
    assert desk.numbers() == {"abuse": (6, 1)}


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "virus"])
async def test_what_is_no_complaint_is_counted_and_changes_nothing(desk, kind):
    await desk.sent()
    desk.loop()
    assert await desk.take(arf(desk.returned(), kind=kind)) is Verdict.TAKEN
    assert desk.nothing_happened()
    assert (desk.numbers(), desk.kept()) == ({kind: (1, 0)}, [])


async def test_an_opt_out_that_a_loop_tells_is_one(desk):
    (message,) = await desk.sent()
    desk.loop()
    for _ in range(2):
        assert await desk.take(arf(desk.returned(), kind="opt-out")) is Verdict.TAKEN
    assert desk.river.told(message) == [Kind.SENT, Kind.UNSUBSCRIBED]
    assert desk.numbers() == {"opt-out": (2, 1)}
    assert desk.query("SELECT count(*) FROM case_file") == [(0,)]
    assert desk.query("SELECT basis FROM consent") == [("feedback-loop",)]
    desk.river.database.fill("DELETE FROM message")  # its week is over
    assert await desk.take(arf(desk.returned(), kind="opt-out")) is Verdict.TAKEN


async def test_what_is_not_believed_is_kept_aside(desk):
    (message,) = await desk.sent()
    whole = desk.returned()
    await desk.take(arf(whole))
    loop = desk.loop()
    await desk.take(arf(whole), signer=None)
    await desk.take(arf(whole), signer=STRANGER)
    await desk.take(PROVIDER.sign(arf(whole)).replace(b"abuse report", b"abuse  rapport"), signer=None)
    await desk.take(arf(whole), length=True)
    await desk.take(arf(b"Subject: nothing of ours\r\n\r\nHello.\r\n"))
    await desk.take(b"From: a@b.example\r\nSubject: hello\r\n\r\nHow are you?\r\n")
    assert desk.kept() == [
        "not-enrolled", "unsigned", "not-enrolled", "bad-signature", "bad-signature", "no-token", "unreadable",
    ]  # fmt: skip
    assert desk.nothing_happened()
    assert desk.river.told(message) == [Kind.SENT]
    desk.query("UPDATE feedback_loop SET ended_at = now(), ended_by = added_by, ended_why = 'over' WHERE id = %s", loop)
    await desk.take(arf(whole, more="Incidents: 1\r\n"))
    assert desk.kept()[-1] == "not-enrolled"


async def test_only_the_loops_own_sender_and_the_very_name_that_it_signs_with_are_believed(desk):
    await desk.sent()
    desk.loop(sender="feedback@provider.example")
    await desk.take(arf(desk.returned()))
    assert desk.kept() == ["other-sender"]
    await desk.take(arf(desk.returned(), sender="feedback@provider.example>, Joe <joe@provider.example"))
    assert desk.nothing_happened()
    await desk.take(arf(desk.returned(), sender="Feedback@provider.example"))
    assert desk.river.suppressed(ANN)


async def test_a_mailbox_of_the_provider_is_not_its_loop(desk):
    await desk.sent()
    desk.loop(domains=("fbl.provider.example",), sender="joe@provider.example")
    await desk.take(arf(desk.returned(), sender="joe@provider.example"))
    assert desk.kept() == ["not-enrolled"]
    assert desk.nothing_happened()


async def test_links_in_texts_name_no_message(desk):
    await desk.sent()
    desk.loop()
    text = desk.returned().partition(b"\r\n\r\n")[2]
    await desk.take(arf(b"Subject: forwarded\r\n\r\n" + text + desk.returned()))
    assert desk.kept() == ["no-token"]
    assert desk.nothing_happened()


async def test_forged_expired_and_foreign_tokens_are_none(desk):
    (message,) = await desk.sent()
    desk.loop()
    path = _path(desk.returned()).strip("<>")
    forged = path[:40] + ("a" if path[40] != "a" else "b") + path[41:]
    whole = f"Return-Path: <{forged}>\r\nList-Unsubscribe: <https://x.example/u/{'A' * 60}>, <mailto:stop+{'a' * 58}@x>\r\n\r\n"
    await desk.take(arf(whole.encode() + b"https://x.example/r/" + b"B" * 60 + b"\r\n"))
    desk.later(days=400)
    await desk.take(arf(header_of(desk.returned(), "list-unsubscribe", "return-path")))
    assert desk.kept() == ["no-token", "no-token"]
    assert desk.river.told(message) == [Kind.SENT]


async def test_a_silent_dns_is_no_answer(desk):
    await desk.sent()
    desk.loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        desk.ask(deaf.getsockname(), seconds=0.3)
        with pytest.raises(NoAnswer):
            await desk.take(arf(desk.returned()))
    assert desk.nothing_happened()
    assert desk.kept() == []


async def test_a_letter_with_several_reports_is_several_complaints(desk):
    first, second = await desk.sent(ANN, "ben@home.example")
    desk.loop()
    both = b"".join(b"--o\r\nContent-Type: message/rfc822\r\n\r\n" + arf(desk.returned(n)) + b"\r\n" for n in (0, 1))
    head = f'From: fbl@provider.example\r\nTo: {FBL}\r\nSubject: two\r\nContent-Type: multipart/mixed; boundary="o"\r\n\r\n'
    await desk.take(head.encode() + both + b"--o--\r\n")
    assert [desk.river.told(m) for m in (first, second)] == [[Kind.SENT, Kind.COMPLAINED]] * 2


async def test_only_its_own_addresses_are_the_desks(desk):
    assert await desk.desk.knows(FBL.upper())
    assert await desk.desk.knows(f"fbl+yahoo@{DOMAIN}")
    assert not await desk.desk.knows("fbl@other.example")
    assert not await desk.desk.knows(f"fbl2@{DOMAIN}")


async def test_an_erased_recipient_stays_suppressed_by_index(desk):
    (message,) = await desk.sent()
    desk.loop()
    desk.river.erase(ANN)
    await desk.take(arf(desk.returned()))
    assert desk.query("SELECT reason, source, address_ct FROM suppression") == [(4, f"complaint:{message}", None)]
    [(id_, words)] = desk.query("SELECT id, words_ct FROM case_entry WHERE kind = 'open'")
    assert "erased" in desk.operator.open(bytes(words), places.case_words(id_)).decode()
