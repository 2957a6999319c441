"""Replies: what the large receivers say, and what we make of it. Only a bad address is ever condemned."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.mail.reply import classify, parse_enhanced

CORPUS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "bounce-sisimai"
KINDS = {
    "hard",
    "mailbox",
    "connection",
    "tls",
    "authentication",
    "rate",
    "policy",
    "reputation",
    "content",
    "size",
    "protocol",
}
PHASES = ("connect", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "eod")

# code, text, phase, kind, permanent, detail
REPLIES = [
    # Gmail
    (550, "5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's email address for typos or unnecessary spaces. For more information, go to https://support.google.com/mail/?p=NoSuchUser d2e1a72fcca58-7 - gsmtp", "rcpt", "hard", True, ""),
    (550, "5.2.1 The email account that you tried to reach is disabled. For more information, go to https://support.google.com/mail/?p=DisabledUser", "rcpt", "mailbox", False, "disabled"),
    (552, "5.2.2 The recipient's inbox is out of storage space and inactive. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaPerm", "rcpt", "mailbox", False, "full"),
    (452, "4.2.2 The recipient's inbox is out of storage space. Please direct the recipient to https://support.google.com/mail/?p=OverQuotaTemp", "rcpt", "mailbox", False, "full"),
    (450, "4.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.", "rcpt", "rate", False, ""),
    (421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address.", "eod", "rate", False, ""),
    (550, "5.7.26 Your email has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.", "eod", "authentication", True, ""),
    (550, "5.7.1 [192.0.2.1 18] Our system has detected that this message is likely suspicious due to the very low reputation of the sending domain.", "eod", "reputation", True, ""),
    (550, "5.7.1 [192.0.2.1] Our system has detected that this message is likely unsolicited mail.", "eod", "content", True, ""),
    (552, "5.7.0 This message was blocked because its content presents a potential security issue.", "eod", "content", True, ""),
    (552, "5.3.4 Your message exceeded Google's message size limits.", "eod", "size", True, ""),
    (421, "4.3.0 Temporary System Problem. Try again later (10).", "eod", "connection", False, ""),
    (550, "5.7.25 The IP address sending this message does not have a PTR record", "eod", "reputation", True, ""),
    # Outlook.com, Exchange Online
    (550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", "rcpt", "hard", True, ""),
    (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient jo@example.com not found by SMTP address lookup", "rcpt", "hard", True, ""),
    (550, "5.4.1 Recipient address rejected: Access denied. [AM7EUR03FT015.eop-EUR03.prod.protection.outlook.com]", "rcpt", "policy", True, ""),
    (550, "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3140).", "mail", "reputation", True, ""),
    (451, "4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.", "mail", "rate", False, ""),
    (550, "5.7.509 Access denied, sending domain example.com does not pass DMARC verification and has a DMARC policy of reject.", "eod", "authentication", True, ""),
    (550, "5.7.606 Access denied, banned sending IP [192.0.2.1].", "rcpt", "reputation", True, ""),
    (552, "5.2.2 STOREDRV.Deliver; mailbox full", "eod", "mailbox", False, "full"),
    (450, "4.4.316 Connection refused", "eod", "connection", False, ""),
    (550, "5.7.705 Access denied, tenant has exceeded threshold", "eod", "rate", False, ""),
    # Yahoo, AOL
    (554, "delivery error: dd This user doesn't have a yahoo.com account (jo@yahoo.com) [0] - mta4159.mail.gq1.yahoo.com", "eod", "hard", True, ""),
    (554, "delivery error: dd Sorry your message to jo@yahoo.com cannot be delivered. This account has been disabled or discontinued [#102].", "eod", "mailbox", False, "disabled"),
    (552, "1 Requested mail action aborted, mailbox not found", "rcpt", "hard", True, ""),
    (421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1; see https://postmaster.yahooinc.com/error-codes", "mail", "rate", False, ""),
    (554, "5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes", "eod", "policy", True, ""),
    (553, "5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list", "mail", "reputation", True, ""),
    # Postfix
    (550, "5.1.1 <spam-policy@example.com>: Recipient address rejected: User unknown in virtual mailbox table", "rcpt", "hard", True, ""),
    (450, "4.1.1 <jo@example.com>: Recipient address rejected: unverified address: connect refused", "rcpt", "mailbox", False, "disabled"),
    (554, "5.7.1 <jo@example.com>: Relay access denied", "rcpt", "policy", True, ""),
    (554, "5.7.1 <jo@example.com>: Recipient address rejected: Access denied", "rcpt", "policy", True, ""),
    (554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "rcpt", "reputation", True, ""),
    (450, "4.2.0 <jo@example.com>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help", "rcpt", "mailbox", False, "greylisted"),
    (451, "4.7.1 Greylisting in action, please come back later", "rcpt", "mailbox", False, "greylisted"),
    (452, "4.3.1 Insufficient system storage", "mail", "connection", False, ""),
    (450, "4.1.8 <a@sender.test>: Sender address rejected: Domain not found", "mail", "policy", False, ""),
    (550, "5.1.0 <a@sender.test>: Sender address rejected: User unknown in virtual mailbox table", "rcpt", "policy", True, ""),
    (452, "4.5.3 Error: too many recipients", "rcpt", "rate", False, ""),
    (421, "4.7.0 mx.example.com Error: too many connections from 192.0.2.1", "connect", "rate", False, ""),
    (530, "5.7.0 Must issue a STARTTLS command first", "mail", "tls", False, ""),
    (552, "5.3.4 Message size exceeds fixed limit", "mail", "size", True, ""),
    # Exim
    (550, "Unrouteable address", "rcpt", "hard", True, ""),
    (550, "Unknown user", "rcpt", "hard", True, ""),
    (550, "Sender verify failed\nNo such user here", "rcpt", "policy", True, ""),
    (550, "relay not permitted", "rcpt", "policy", True, ""),
    (451, "Temporary local problem - please try later", "rcpt", "connection", False, ""),
    (550, "This message was classified as SPAM and may not be delivered", "eod", "content", True, ""),
    # qmail, GMX, Mailgun, others
    (550, "sorry, no mailbox here by that name (#5.1.1)", "rcpt", "hard", True, ""),
    (553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "rcpt", "policy", True, ""),
    (550, "Requested action not taken: mailbox unavailable\nFor explanation visit http://postmaster.gmx.com/", "rcpt", "hard", True, ""),
    (554, "Transaction failed\nReject due to policy restrictions.", "eod", "policy", True, ""),
    (550, "User x@y.example has been suspended", "rcpt", "mailbox", False, "disabled"),
    (550, "5.1.6 recipient no longer on server", "rcpt", "hard", True, ""),
    (556, "5.1.10 Recipient address has a null MX", "rcpt", "hard", True, ""),
    (556, "no mail", "rcpt", "connection", True, ""),
    (521, "host does not accept mail", "mail", "connection", True, ""),
    (550, "5.1.2 Host unknown (Name server: host not found)", "rcpt", "connection", True, ""),
    (551, "User not local", "rcpt", "hard", True, ""),
    (551, "we do not relay", "rcpt", "policy", True, ""),
    (553, "Requested action not taken: mailbox name not allowed", "rcpt", "hard", True, ""),
    (550, "Mailbox full", "rcpt", "mailbox", False, "full"),
    (550, "no", "rcpt", "policy", True, ""),
    (552, "Requested mail action aborted: exceeded storage allocation", "rcpt", "mailbox", False, "full"),
    (552, "no", "rcpt", "mailbox", False, "full"),
    (552, "no", "eod", "size", True, ""),
    (554, "no", "eod", "content", True, ""),
    (450, "no", "rcpt", "mailbox", False, "disabled"),
    (503, "bad sequence", "rcpt", "protocol", True, ""),
    (550, "5.6.7 non-ASCII addresses not permitted", "rcpt", "policy", True, ""),
    (554, "5.4.6 too many hops", "eod", "protocol", True, ""),
    (451, "no", "eod", "connection", False, ""),
    # 5.1.1 that speaks of something else
    (550, "5.1.1 Rejected: message is spam", "eod", "content", True, ""),
    (550, "5.1.1 Blocked by Spamhaus", "rcpt", "reputation", True, ""),
    (550, "5.1.1 Relaying denied", "rcpt", "policy", True, ""),
    # hard by its text, but not in that place, or not for good, or with another code
    (550, "User unknown", "eod", "policy", True, ""),
    (554, "User unknown", "rcpt", "policy", True, ""),
    (450, "User unknown", "rcpt", "mailbox", False, "disabled"),
    (550, "5.7.1 User unknown", "rcpt", "policy", True, ""),
    (550, "5.1.1 bad sender", "mail", "policy", True, ""),
    (550, "5.1.1 User unknown", "mail", "policy", True, ""),
    (550, "4.1.1 User unknown", "rcpt", "mailbox", False, "disabled"),
    # our own log-in, and TLS: never for good
    (535, "5.7.8 authentication failed", "auth", "authentication", False, ""),
    (530, "5.7.0 Authentication required", "mail", "authentication", False, ""),
    (454, "4.7.0 TLS not available", "starttls", "tls", False, ""),
    (554, "5.7.1 no service", "connect", "connection", False, ""),
    (554, "your IP 192.0.2.1 is listed on a blocklist", "connect", "reputation", False, ""),
    (502, "what?", "ehlo", "connection", False, ""),
    (0, "timed out", "eod", "connection", False, ""),
    (0, "certificate verify failed", "starttls", "tls", False, ""),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "phase", "kind", "permanent", "detail"), REPLIES)
def test_what_receivers_say(code, text, phase, kind, permanent, detail):
    failure = classify(code, parse_enhanced(text), text, phase)
    assert (failure.kind, failure.permanent, failure.detail) == (kind, permanent, detail), failure
    assert failure.address_bad is (kind == "hard")
    assert failure.rule


def test_given_enhanced_code_counts():
    assert classify(550, "5.1.1", "no", "rcpt").address_bad
    assert classify(550, "nonsense", "5.1.1 no", "rcpt").address_bad


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5.1.1 x", "5.1.1"),
        ("5.7.26", "5.7.26"),
        (" 4.2.2\tfull", "4.2.2"),
        ("5.1.1: x", "5.1.1"),
        ("sorry (#5.1.1)", "5.1.1"),
        ("5.1.1.20 is blocked", None),
        ("5.1.1a", None),
        ("3.1.1 x", None),
        ("5.1.1000 x", None),
        ("your ip 5.1.1 x", None),
        ("", None),
    ],
)
def test_parse_enhanced(text, code):
    assert parse_enhanced(text) == code


@pytest.mark.parametrize("code", [1, 250, 354, 600, -1])
def test_not_a_refusal(code):
    with pytest.raises(ValueError, match="refusal"):
        classify(code, None, "x", "rcpt")


@given(st.sampled_from(range(400, 600)), st.text(max_size=200), st.sampled_from(PHASES))
def test_every_reply_has_a_class(code, text, phase):
    failure = classify(code, None, text, phase)
    assert failure.kind in KINDS
    assert failure.address_bad is (failure.kind == "hard")
    if failure.address_bad:
        assert failure.permanent
        assert code >= 500
    if phase in PHASES[:4] or code < 500:
        assert not failure.permanent


# The verdict there is the address's, from the whole bounce; these say less in the reply alone, or more.
DIFFERS = {
    "filtered": "the reply says unknown user, but its bounce says that it came at the end of data",
    "userunknown": "temporary, a bare refusal without a word of the address, or a second-hand reply inside a text",
    "notaccept": "the host takes no mail: the design does not condemn an address for its host",
}


def test_real_bounces():
    path = CORPUS / "expected.csv"
    if not path.exists():
        pytest.skip("the corpora are not here")
    wrong, seen = [], set()
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if "/bsd/" in row["file"]]
    for row in rows:
        raw = re.sub(rb"\n[ \t]+", b" ", (CORPUS / row["file"]).read_bytes())
        found = re.findall(rb"(?im)^Diagnostic-Code:\s*smtp\s*;\s*(.*)$", raw)
        reply = re.search(r"\b([45]\d\d)[ -](.*)", found[0].decode("utf-8", "replace")) if len(found) == 1 else None
        if not reply or reply[0] in seen:
            continue
        seen.add(reply[0])
        if classify(int(reply[1]), None, reply[2], "rcpt").address_bad is not (row["verdict"] == "hard"):
            wrong.append(row)
    assert len(seen) > 60
    assert {row["reason"] for row in wrong} <= DIFFERS.keys()
    assert not [row for row in wrong if row["reason"] != "filtered" and row["verdict"] != "hard"]
    assert len(wrong) <= len(seen) // 7
