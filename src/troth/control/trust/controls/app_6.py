"""Control of APP-6: somebody independent tries to break in."""

from troth.control.trust import attested
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    return attested.rests(look, programme, "APP-6")


CONTROL = Control(
    "APP-6",
    "app_6",
    HOUR,
    "A report of the last penetration test was brought by one person and accepted by another, and is not older than "
    "policy lets it be; its file is opened and hashed again, rows and ledger are compared column by column, and "
    "changing it is tried.",
    check,
)
