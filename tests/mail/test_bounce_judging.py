"""A failure's class: user unknown at RCPT condemns the address; policy, content, size, rate, a full mailbox never do."""

import time

import pytest
from tests.mail.bounces import dsn, group, plain

from troth.mail.bounce import read
from troth.mail.bounce_judging import Evidence, first_reply, judge, phase, words
from troth.mail.bounce_rules import CLASSES, KNOWN, STATUSES, TEXTS


def judged(diagnostic, status="5.0.0", near="", action="failed"):
    return judge(Evidence(action, status, diagnostic, near))


@pytest.mark.parametrize(("diagnostic", "status", "klass", "bad"), [
    ("550 5.1.1 <a@b.example>: Recipient address rejected: User unknown in relay recipient table", "5.1.1", "user-unknown", True),
    ("550 5.1.1 user unknown", "", "user-unknown", True),
    ("550 5.7.1 IP address blacklisted by recipient", "5.1.1", "reputation", False),
    ("550 5.1.1 rejected as spam", "5.1.1", "spam", False),
    ("550 User unknown (in reply to RCPT TO command)", "5.0.0", "user-unknown", True),
    ("550 User unknown (in reply to end of DATA command)", "5.0.0", "filtered", False),
    ("550 User unknown", "5.0.0", "filtered", False),
    ("550 5.2.1 User unknown (in reply to RCPT TO command)", "5.2.1", "user-unknown", True),
    ("550 5.4.1 User unknown (in reply to RCPT TO command)", "5.4.1", "network", False),
    ("550 5.1.2 Host unknown", "5.1.2", "host-unknown", True),
    ("Host or domain name not found. Name service error for name=x type=A: Host not found", "5.4.4", "host-unknown", True),
    ("Name service error for domain x: Host not found, try again", "4.4.3", "network", False),
    ("550 5.1.6 Destination mailbox has moved", "5.1.6", "moved", True),
    ("551 not our user (in reply to RCPT TO command)", "", "moved", True),
    ("556 5.1.10 Recipient address has null MX", "5.1.10", "user-unknown", True),
    ("550 5.7.27 Host does not accept mail", "5.7.27", "no-mail", True),
    ("521 5.0.0 go away", "5.0.0", "no-mail", True),
    ("550 5.1.3 bad address syntax", "5.1.3", "user-unknown", True),
    ("550 invalid domain", "5.0.0", "unclear", False),
    ("556 bye", "", "no-mail", True),
    ("552 5.2.2 Mailbox full", "5.2.2", "full", False),
    ("550 5.2.1 mailbox is disabled", "5.2.1", "disabled", False),
    ("550 5.7.26 Unauthenticated email is not accepted due to DMARC policy", "5.7.26", "auth", False),
    ("554 5.7.1 blocked using zen.spamhaus.org", "5.7.1", "reputation", False),
    ("553 http://www.spamhaus.org/query/bl?ip=192.0.2.1", "5.1.3", "reputation", False),
    ("552 5.3.4 Message size exceeds fixed limit", "5.3.4", "size", False),
    ("450 4.7.1 Greylisted, come back", "4.7.1", "greylisted", False),
    ("421 4.7.0 Too many connections", "4.7.0", "rate", False),
    ("550 5.7.1 Relaying denied", "5.7.1", "relay", False),
    ("553 5.1.8 Domain of sender address does not exist", "5.1.8", "sender", False),
    ("550 5.7.1 message contains a virus", "5.7.1", "virus", False),
    ("550 5.4.6 too many hops", "5.4.6", "loop", False),
    ("501 5.0.0 Invalid domain name: my name was rejected", "5.0.0", "reputation", False),
    ("550 domain does not exist (in reply to MAIL FROM command)", "", "sender", False),
    ("450 4.1.1 User unknown in virtual alias table", "4.1.1", "user-unknown", True),
    ("450 4.1.1 unverified address: no answer", "4.1.1", "user-unknown", False),
    ("450 4.2.0 user unknown (in reply to RCPT TO command)", "4.2.0", "user-unknown", False),
    ("504 Command parameter not implemented", "5.0.0", "protocol", False),
    ("535 5.0.0 no", "5.0.0", "auth", False), ("535 no", "", "auth", False), ("", "", "unclear", False),
    ("550 RESOLVER.ADR.RecipNotFound; not found", "5.7.1", "user-unknown", True),
    ("554 delivery error: dd This user doesn't have a yahoo.com account", "5.0.0", "user-unknown", True),
    ("550 <spam@virus.example>: 192.0.2.1 5.9.9 hm", "5.9.9", "unclear", False),
    ("550 5.1.351 Remote server returned unknown recipient", "5.1.351", "user-unknown", True),
])  # fmt: skip
def test_codes_and_words_weighed(diagnostic, status, klass, bad):
    found = judged(diagnostic, status)
    assert (found.klass.name, found.address_bad) == (klass, bad), found


@pytest.mark.parametrize(("words_", "klass"), [
    ("Postfach des Empfängers ist voll", "full"), ("La boîte du destinataire est pleine", "full"), ("El buzón está lleno", "full"),
    ("casella piena", "full"), ("Почтовый ящик переполнен", "full"), ("用户邮箱空间已满", "full"), ("メールボックスがいっぱいです", "full"),
    ("Le compte du destinataire est bloque", "disabled"), ("Konto ist gesperrt", "disabled"), ("Аккаунт заблокирован", "disabled"),
    ("该邮件被判定为垃圾邮件", "spam"), ("письмо похоже на спам", "spam"), ("ウイルスが検出されました", "virus"),
])  # fmt: skip
def test_other_languages(words_, klass):
    assert judged(f"550 {words_}").klass.name == klass
    assert not judged(f"550 {words_} (in reply to RCPT TO command)").address_bad


@pytest.mark.parametrize("said", [
    "Empfänger unbekannt", "Benutzer existiert nicht", "Utilisateur inconnu", "Destinataire inexistant", "Usuario desconocido", "la cuenta no existe",
    "Utente sconosciuto", "Usuário inexistente", "Gebruiker onbekend", "Użytkownik nieznany", "пользователь не найден", "收件人不存在", "宛先が存在しません",
    "Användaren finns inte", "Brugeren findes ikke", "Käyttäjää ei löydy", "Uživatel neexistuje", "kullanıcı bulunamadı", "no such user here",
    "mailbox unavailable", "Invalid recipient", "Unknown local part", "user is unknown", "Addressee unknown", "Account does not exist",
])  # fmt: skip
def test_nobody_of_that_name_in_many_languages_is_believed_at_rcpt_only(said):
    at_rcpt = judged(f"550 {said} (in reply to RCPT TO command)")
    assert (at_rcpt.klass.name, at_rcpt.address_bad) == ("user-unknown", True)
    assert not judged(f"550 {said} (in reply to end of DATA command)").address_bad
    assert not judged(f"450 {said} (in reply to RCPT TO command)", "4.0.0").address_bad
    assert not judged(f"550 {said} (in reply to RCPT TO command)", action="delayed").address_bad


@pytest.mark.parametrize(("text", "at"), [
    ("(in reply to end of DATA command)", "data"), ("after RCPT TO:<a@b>:", "rcpt"), ("[RCPT_TO]", "rcpt"), ("[MAIL_FROM]", "mail"),
    (">>> RCPT To:<a@b>\n<<< 550 x", "rcpt"), ("  >>> DATA\n  <<< 354 go\n  <<< 554 x", "data"), (">>> MAIL From:<a>\n<<< 250 ok\n", ""),
    (">>> HELO x\n<<< 501 no", "helo"), (">>> STARTTLS\n<<< 454 no", "starttls"), ("refused to talk to me: 554", "connect"),
    ("did not like our RCPT TO:", "rcpt"), ("did not like our final DATA", "data"), ("-------SMTP command\n\nDATA", "data"), ("nothing", ""),
])  # fmt: skip
def test_the_command_that_was_answered(text, at):
    assert phase(text) == at


def test_what_stands_near_decides_before_what_stands_around():
    two = judge(
        Evidence(
            "failed", near="<a@b.example>:\n550 mailbox full\n<c@d.example>: 550 x", around="550 spam", alone=False
        )
    )
    assert two.klass.name == "full"
    around = judge(Evidence("failed", near="a@b.example", around="The mailbox is full\na@b.example"))
    assert around.klass.name == "full"
    assert (
        judge(Evidence("failed", near="a@b.example", around="The mailbox is full", alone=False)).klass.name == "unclear"
    )
    made_up = judge(Evidence("failed", "5.0.0", "553 no", ">>> RCPT TO:<a@b>\n<<< 553 no\n550 5.1.1 User unknown"))
    assert not made_up.address_bad, "what a mail system makes of a reply that blames nobody is no evidence"


def test_replies_quoted_and_words_stripped():
    assert first_reply("x\n  550-5.1.1 one\n  550 5.1.1 two\n\nthree") == "  550-5.1.1 one"
    assert first_reply("host said: 550 one\n   two\n<<< 503 three") == "host said: 550 one\n   two"
    assert first_reply("nothing") == ""
    assert words("550 5.1.1 <spam@spam.example>: See https://virus.example ’s User\nunknown") == ": see 's user unknown"


def test_every_class_says_what_to_do_and_every_rule_has_a_class():
    assert all(len(klass.do.split()) > 3 for klass in CLASSES.values())
    assert {rule.klass for rule in (*KNOWN, *TEXTS, *STATUSES.values())} <= set(CLASSES)
    assert {name for name, klass in CLASSES.items() if klass.bad} == {
        "user-unknown",
        "host-unknown",
        "moved",
        "no-mail",
    }
    assert all(CLASSES[rule.klass].bad for rule in KNOWN if rule.sure)


def test_a_temporary_unknown_user_is_a_mailbox_for_now():
    late = read(dsn(group("smtp; 450 4.1.1 unverified address", "4.1.1", "delayed"))).recipients[0]
    assert (late.failure.kind, late.failure.detail, late.failure.permanent) == ("mailbox", "disabled", False)
    rate = read(dsn(group("smtp; 550 5.7.28 unusual rate", "5.7.28"))).recipients[0]
    assert (rate.permanent, rate.failure.kind, rate.failure.permanent) == (True, "rate", False)


@pytest.mark.parametrize("text", ["550 " * 20_000, "a@b " * 20_000, "<" * 60_000, "user " * 15_000, "host name or " * 5_000, "x@y.example:\n" * 5_000,
                                  ">>> rcpt\n<<< 250\n" * 4_000, "mailbox" * 9_000, "[" * 60_000, "a." * 30_000, "1" * 60_000, "--- " * 15_000])  # fmt: skip
def test_long_texts_take_no_time(text):
    begun = time.process_time()
    read(plain(f"Delivery failed: {text}", subject=f"failure notice {text}"))
    read(dsn(group(f"smtp; {text}"), text=text))
    assert time.process_time() - begun < 4
