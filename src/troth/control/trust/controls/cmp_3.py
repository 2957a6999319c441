"""Control of CMP-3: the template that was complained about is marked for review."""

from troth.control.trust import complaints
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    complaints.stands(findings, look, "template_flag_guard", "template_flag_clear_v1")
    complaints.attempted(findings, look, {"complaint": complaints.DONE, "change-mark": DENIED, "change-delete": DENIED})
    complaints.counted(
        findings, look, programme,
        {
            "told": "complaints are not both an event of their message and a record",
            "marks": "complaints left the version that was sent without its mark",
        },
    )  # fmt: skip
    return findings.done()


CONTROL = Control(
    "CMP-3",
    "cmp_3",
    HOUR,
    "A whole complaint is carried out and undone, and must mark the version that was sent; each complaint of the last "
    "90 days is compared with the marks that stood then; and removing a mark but by a person's review is tried.",
    check,
)
