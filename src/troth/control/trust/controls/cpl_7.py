"""Control of CPL-7: the written policies are published."""

from troth.control.trust import attested
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    return attested.rests(look, programme, "CPL-7")


CONTROL = Control(
    "CPL-7",
    "cpl_7",
    HOUR,
    "The text of each policy that is promised to be published was accepted by a second person as public, is given out "
    "to anybody, and was reviewed within the time that policy sets; its file is opened and hashed again, rows and "
    "ledger are compared column by column, and changing it is tried.",
    check,
)
