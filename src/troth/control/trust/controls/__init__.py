"""Claims: every control, one file each, in the order in which they are run and shown.

To add one, add its file and a line here; a test sees that each file is listed and that its claim exists.
"""

from troth.control.trust.control import Control
from troth.control.trust.controls import (
    bnc_1,
    bnc_2,
    chg_6,
    eml_2,
    eml_3,
    eml_7,
    eml_13,
    enc_4,
    enc_5,
    log_1,
    log_6,
    rcp_4,
    snd_2,
    sup_1,
    sup_3,
)

CONTROLS: tuple[Control, ...] = (
    enc_4.CONTROL,
    enc_5.CONTROL,
    eml_2.CONTROL,
    eml_3.CONTROL,
    eml_7.CONTROL,
    eml_13.CONTROL,
    log_1.CONTROL,
    log_6.CONTROL,
    chg_6.CONTROL,
    rcp_4.CONTROL,
    sup_1.CONTROL,
    sup_3.CONTROL,
    bnc_1.CONTROL,
    bnc_2.CONTROL,
    snd_2.CONTROL,
)


def control_of(claim: str) -> Control | None:
    return next((each for each in CONTROLS if each.claim == claim), None)
