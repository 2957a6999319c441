"""Claims: every control, one file each, in the order in which they are run and shown.

To add one, add its file and a line here; a test sees that each file is listed and that its claim exists.
"""

from troth.control.trust.control import Control
from troth.control.trust.controls import (
    bnc_1,
    bnc_2,
    chg_1,
    chg_2,
    chg_3,
    chg_4,
    chg_5,
    chg_6,
    chg_7,
    eml_2,
    eml_3,
    eml_7,
    eml_13,
    enc_4,
    enc_5,
    log_1,
    log_2,
    log_3,
    log_5,
    log_6,
    log_7,
    log_8,
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
    log_2.CONTROL,
    log_3.CONTROL,
    log_5.CONTROL,
    log_6.CONTROL,
    log_7.CONTROL,
    log_8.CONTROL,
    chg_1.CONTROL,
    chg_2.CONTROL,
    chg_3.CONTROL,
    chg_4.CONTROL,
    chg_5.CONTROL,
    chg_6.CONTROL,
    chg_7.CONTROL,
    rcp_4.CONTROL,
    sup_1.CONTROL,
    sup_3.CONTROL,
    bnc_1.CONTROL,
    bnc_2.CONTROL,
    snd_2.CONTROL,
)


def control_of(claim: str) -> Control | None:
    return next((each for each in CONTROLS if each.claim == claim), None)
