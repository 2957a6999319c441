"""The demo mailbox's manners: what it does to a recipient, by a word in the local part of the address.

*bounce-hard*      550 5.1.1 at RCPT, always
*full*             452 4.2.2 at RCPT, always
*full-twice*       452 4.2.2 at RCPT the first two times, then taken
*greylist*         451 4.7.1 at RCPT the first time, then taken
*policy*           550 5.7.1 at RCPT, always
*tempfail*         421 4.3.2 at RCPT, always
*drop-after-data*  the first time the message is kept and the connection closed without an answer; then taken
*slow*             taken, the answer comes after 2 s
"""

from collections import Counter

SLOW = 2.0  # seconds

# Word -> reply at RCPT and how often (None: always). The first word found counts, so full-twice stands
# before full.
_AT_RCPT: tuple[tuple[str, str, int | None], ...] = (
    ("bounce-hard", "550 5.1.1 There is no such mailbox here", None),
    ("full-twice", "452 4.2.2 The mailbox is full", 2),
    ("full", "452 4.2.2 The mailbox is full", None),
    ("greylist", "451 4.7.1 Greylisted, try again later", 1),
    ("policy", "550 5.7.1 Refused by policy", None),
    ("tempfail", "421 4.3.2 The service is closing", None),
)


class Script:
    """Remembers, while the mailbox runs, how often each recipient was tried."""

    def __init__(self) -> None:
        self._tries: Counter[str] = Counter()
        self._dropped: set[str] = set()

    def at_rcpt(self, recipient: str) -> str | None:
        """The reply that refuses this recipient now; None to take it."""
        local = _local(recipient)
        for word, reply, times in _AT_RCPT:
            if word in local:
                self._tries[recipient.lower()] += 1
                return reply if times is None or self._tries[recipient.lower()] <= times else None
        return None

    def drops(self, recipient: str) -> bool:
        """Whether to go silent after this message's final dot: once for each recipient that asks for it."""
        if "drop-after-data" not in _local(recipient) or recipient.lower() in self._dropped:
            return False
        self._dropped.add(recipient.lower())
        return True

    def delay(self, recipient: str) -> float:
        """Seconds to wait before the answer to the final dot."""
        return SLOW if "slow" in _local(recipient) else 0.0


def _local(recipient: str) -> str:
    return recipient.rpartition("@")[0].lower()
