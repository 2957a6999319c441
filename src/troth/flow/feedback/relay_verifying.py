"""Feedback: whether an SNS message is to be believed: our topic, SNS's certificate from SNS's own host, its signature.

What is raw (raw message delivery) has no signature and is never believed.
"""

from collections.abc import Collection
from datetime import datetime

from troth.flow.feedback.relay_refusing import Refused
from troth.mail import relay_sns
from troth.mail.relay_sns import Notice, SnsError
from troth.outside.sns import Sns

_SLUGS = {"unreadable": "webhook-unreadable", "unknown-type": "webhook-unreadable", "foreign-host": "webhook-foreign"}


def notice_of(body: bytes, topics: Collection[str]) -> Notice:
    """Of one of these topics; nothing is asked of anybody for any other."""
    try:
        notice = relay_sns.read(body)
    except SnsError as wrong:
        raise _refused(wrong) from None
    if notice.topic not in topics:
        raise Refused("webhook-foreign", "The topic is none of those in ses_topics.")
    return notice


async def believe(sns: Sns, notice: Notice, now: datetime) -> None:
    """Refused unless SNS signed it; what Sns raises when it cannot be asked is temporary. now: the true time."""
    try:
        url = relay_sns.certificate_url(notice, sns.origin)
        relay_sns.verify(notice, await sns.certificate(url), now)
        sns.keep(url)
    except SnsError as wrong:
        raise _refused(wrong) from None


def _refused(wrong: SnsError) -> Refused:
    return Refused(_SLUGS.get(wrong.code, "webhook-forged"), str(wrong))
