"""Control of APP-1: code is reviewed before it lands, and scanned."""

from troth.control.trust import attested
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Found
from troth.control.trust.look import Look, Programme


def check(look: Look, programme: Programme | None) -> Found:
    return attested.rests(look, programme, "APP-1")


CONTROL = Control(
    "APP-1",
    "app_1",
    HOUR,
    "Each of these has evidence that a second person accepted and that is not over: a review of how code is reviewed, "
    "a scan of the code as text, where it is promised a scan of the running service and the training of those who "
    "write it; its file is opened and hashed again, rows and ledger are compared column by column, and changing it is "
    "tried.",
    check,
)
