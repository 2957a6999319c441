"""Control of VDP-3: who looks for weaknesses in good faith is safe from us."""

from troth.control.trust import attested
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    return attested.rests(look, programme, "VDP-3")


CONTROL = Control(
    "VDP-3",
    "vdp_3",
    HOUR,
    "The statement of safe harbour was accepted by a second person as public, is given out to anybody, and was "
    "reviewed within the time that policy sets; its file is opened and hashed again, rows and ledger are compared "
    "column by column, and changing it is tried.",
    check,
)
