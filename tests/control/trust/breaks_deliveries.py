"""What an intruder might do to what the shares of mail, and its amount, stand on: the counts, and the events under them."""

from tests.control.trust.breaking import Break, fences, function, quiet, secured

_MORE = "UPDATE event_tally SET n = n * 2 WHERE kind = {kind}"
_FEWER = "UPDATE event_tally SET n = greatest(n / 2, 1) WHERE kind = {kind}"
_BOUNCED = (
    "INSERT INTO event_tally SELECT tenant_id, hour, 11, n / 4 + 1 FROM event_tally WHERE kind = 8"
    " ON CONFLICT (tenant_id, hour, kind) DO UPDATE SET n = EXCLUDED.n"
)


def _counts(claim: str) -> list[Break]:
    return [
        *fences(claim, "event", "to_line"),
        *secured(claim, "event_tally"),
        *function(claim, "event_to_line", "event_to_line()"),
    ]


DELIVERIES: list[Break] = [
    *_counts("EML-9"),
    *_counts("EML-11"),
    *_counts("EML-12"),
    *_counts("EML-10"),
    *fences("EML-10", "complaint", "guard"),
    *function("EML-10", "complaint_guard", "complaint_guard()"),
    *function("EML-10", "complaint_fact_v1", "complaint_fact_v1(text, timestamptz)"),
    quiet("EML-10", "complaints are forgotten", "complaint", "DELETE FROM complaint"),
    quiet("EML-10", "complaints were never told", "event", "DELETE FROM event WHERE kind = 14"),
    quiet("EML-10", "mail is invented", "event_tally", _MORE.format(kind=8)),
    quiet("EML-9", "deliveries are invented", "event_tally", _MORE.format(kind=10)),
    quiet("EML-9", "deliveries are not told of", "event_tally", _FEWER.format(kind=10)),
    quiet("EML-11", "mail is invented", "event_tally", _MORE.format(kind=8)),
    quiet("EML-11", "more bounces", "event_tally", _BOUNCED),
    quiet("EML-12", "mail is invented", "event_tally", _MORE.format(kind=8)),
    quiet("EML-12", "less is sent", "event_tally", _FEWER.format(kind=8)),
]
