"""Control of CPL-5: policies are reviewed and staff are trained."""

from troth.control.trust import attested
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    return attested.rests(look, programme, "CPL-5")


CONTROL = Control(
    "CPL-5",
    "cpl_5",
    HOUR,
    "The last review of the written policies and the last training of the staff each have evidence that a second "
    "person accepted, not older than policy lets it be; its file is opened and hashed again, rows and ledger are "
    "compared column by column, and changing it is tried.",
    check,
)
