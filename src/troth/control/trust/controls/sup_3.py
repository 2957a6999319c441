"""Control of SUP-3: suppression entries are permanent, never deleted."""

from troth.control.trust import fences, suppressions, told_rows
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.measures import DENIED, refused


def check(look: Look, _: Programme | None) -> Found:
    findings, schema = Findings(), look.schema
    findings.take(fences.house(schema))
    findings.take(fences.tables(schema, "suppression", "suppression_feed", "opt_out"))
    findings.take(fences.functions(schema, "insert_only", "suppress_v1", "opt_out_v1", "suppression_part_v1"))
    attempts = {
        "suppression-delete": DENIED,
        "suppression-update": DENIED,
        "feed-delete": DENIED,
        "opt-out-delete": DENIED,
    }
    refused(findings, look, attempts)
    told_rows.as_told(findings, look, None, "opt-ins told")
    suppressions.kept(findings, look, "SUP-3")
    return findings.done()


CONTROL = Control(
    "SUP-3",
    "sup_3",
    HOUR,
    "Deleting and changing an entry are tried as the tables' owner and must be refused; no role has the right to; "
    "and the list is compared with its feed and with earlier counts: a short one whole, of a long one the newest "
    "entries, and each hour the next 150,000.",
    check,
)
