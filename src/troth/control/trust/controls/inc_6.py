"""Control of INC-6: what is affected is cut off and brought back clean."""

from troth.control.trust import attested
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    return attested.rests(look, programme, "INC-6")


CONTROL = Control(
    "INC-6",
    "inc_6",
    HOUR,
    "A protocol of the last exercise in cutting a system off was brought by one person and accepted by another, and "
    "is not older than policy lets it be; its file is opened and hashed again, rows and ledger are compared column by "
    "column, and changing it is tried.",
    check,
)
