"""After the demo's river: what comes back by its server for incoming mail, which each letter finds by its MX:
notifications, a complaint, letters to the desks, reports; and what there is of it for people to see.
"""

import time
from dataclasses import dataclass, field
from datetime import timedelta

import psycopg
from psycopg.rows import dict_row

from troth.cli import wiring
from troth.cli.demo import by_mail, strangers
from troth.cli.demo.building import SELECTOR
from troth.cli.demo.expected import Came
from troth.cli.demo.inbox import Inbox, header
from troth.cli.demo.outcome import Outcome
from troth.cli.demo.strangers import Letter, Signers, Source
from troth.cli.demo.waiting import LOOP
from troth.cli.demo.zone import BOUNCES, LEAVES, Zone
from troth.control.approvals import changes
from troth.control.audit.scope import Connection
from troth.settings import Settings

REPORTER, FINDER = "leontyne.abara@lowermarsh.test", "lysander.beckwith4410@upperweir.test"
_SIGNING = ("lowermarsh.test", "upperweir.test", "saltmarket.test")
_ABOUT = "notices.alderwren.test"
_FOREIGN = "192.0.2.66"  # a documentation address (RFC 5737), which signs nothing
_SPAM = "This came to my mother, who never rented anything. Who is it from?\r\n"
_HOLE = "The page behind your links says which version of its server it runs. Is that meant?\r\n"
_CAME = """
SELECT (SELECT count(*) FROM troth.complaint) AS complaints,
       (SELECT count(*) FROM troth.case_file WHERE kind = 'incident') AS incidents,
       (SELECT count(*) FROM troth.case_file WHERE kind = 'abuse') AS abuse,
       (SELECT count(*) FROM troth.case_file WHERE kind = 'disclosure') AS disclosures,
       (SELECT count(*) FROM troth.template_flag) AS marked,
       (SELECT count(*) FROM troth.dmarc_report) AS dmarc,
       (SELECT count(*) FROM troth.tls_report) AS tls,
       (SELECT count(*) FROM troth.inbound_letter WHERE done_at IS NULL) AS aside,
       (SELECT count(*) FROM troth.suppression) AS suppressed
"""


@dataclass(slots=True)
class Strangers:
    """Those who write. `wrote`: the letters of people, which are answered."""

    settings: Settings
    zone: Zone
    inbox: Inbox
    signers: Signers = field(default_factory=Signers)
    wrote: list[Letter] = field(default_factory=list)

    def __post_init__(self) -> None:
        for domain in _SIGNING:
            name, text = self.signers.record(domain)
            self.zone.publish(name, "TXT", text)

    def not_delivered(self, message: Outcome, status: str, words: str) -> None:
        """To the return path of a message that was taken."""
        path, octets = self._sent(message)
        self._bring("", strangers.not_delivered(path, message.recipient, status, words, octets), signed=False)

    def complain(self, message: Outcome, *, signed: bool = True) -> None:
        """A feedback loop's report; unsigned, anybody's."""
        path, octets = self._sent(message)
        whole = f"Return-Path: <{path}>\r\n".encode() + octets
        letter = strangers.spam(f"fbl@{LOOP['domains']}", f"fbl@{BOUNCES}", path, whole)
        self._bring(letter.sender, letter, signed=signed)

    def report(self, message: Outcome, connection: Connection) -> None:
        """Somebody reports a mail of ours to its programme, and somebody a weakness to the installation."""
        _, octets = self._sent(message)
        to, at = "abuse@lettings.troth.test", changes.clock(connection)
        self.wrote.append(strangers.letter(REPORTER, to, at, "Is this mail from you?", _SPAM, octets))
        self.wrote.append(strangers.letter(FINDER, f"security@{BOUNCES}", at, "A header that says too much", _HOLE))
        for letter in self.wrote:
            self._bring(letter.sender, letter)

    def look_back(self, connection: Connection) -> None:
        """Reports of the story's first day."""
        day = (changes.clock(connection) - timedelta(days=1)).date()
        theirs = [each for each in self.inbox.everything() if each.mail_from.endswith(f"@bounce.{_ABOUT}")]
        seen = sum(each.rcpt.endswith("@lowermarsh.test") for each in theirs)
        sources = (Source(LEAVES, seen, SELECTOR), Source(_FOREIGN, 3))
        first = strangers.dmarc(f"dmarc@{BOUNCES}", _ABOUT, day, sources, "reports@lowermarsh.test")
        second = strangers.tls(f"tlsrpt@{BOUNCES}", _ABOUT, day, 12, 1, "tlsrpt@upperweir.test")
        for letter in (first, second):
            self._bring(letter.sender, letter)

    def await_answers(self, patience: float) -> bool:
        """Whether everybody who wrote has an answer; a leap of the clock would make it a late one."""
        until = time.monotonic() + patience
        while self.answers() < len(self.wrote):
            if time.monotonic() > until or self.inbox.over.wait(0.1):
                return False
        return True

    def answers(self) -> int:
        """How many of those who wrote found an answer in their mailbox."""
        return sum(
            header(self.inbox.octets(each), "In-Reply-To") == strangers.answered(letter)
            for letter in self.wrote
            for each in self.inbox.kept(letter.sender)
        )

    def _sent(self, message: Outcome) -> tuple[str, bytes]:
        """The return path of what came to a recipient, and its octets; LookupError when nothing did."""
        for entry in self.inbox.copies(message.recipient, message.message_hex):
            return entry.mail_from, self.inbox.octets(entry)
        raise LookupError("The message that a stranger would write about did not come.")

    def _bring(self, sender: str, letter: Letter, *, signed: bool = True) -> None:
        octets = self.signers.sign(letter) if signed else letter.octets
        by_mail.send(self.settings, sender, letter.to, octets)


def came(strangers: Strangers) -> Came:
    """What there is of it, counted in the database and in the mailbox."""
    where = wiring.conninfo(strangers.settings, "migrate")
    with psycopg.connect(**where, options="-c role=troth_owner", row_factory=dict_row) as owner:
        row = owner.execute(_CAME).fetchone()
    assert row is not None
    return Came(**row, answers=strangers.answers())
