"""Feedback: who signed a report's letter: the domain of a DKIM signature that holds and stands for its From."""

from datetime import datetime

from troth.mail import parts
from troth.mail.parts import Part
from troth.outside.dkim_verify import Verifier, aligned


class SignedBy:
    """A reports.Signed over the DNS. A DNS that cannot say makes the report an unsigned one, which is no loss of it."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    async def __call__(self, octets: bytes, part: Part, now: datetime) -> str:
        senders = parts.addresses(part.first("from"))
        if len(senders) != 1:
            return ""
        name = senders[0].rpartition("@")[2].lower()
        found = await self._verifier.verify(octets, part, now)
        return next((each.domain for each in found if each.holds and aligned(each.domain, name)), "")
