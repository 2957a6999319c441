"""The world's reviews of complaints: one of each programme, signed; and what somebody might do to what they stand on."""

from tests.control.trust.breaking import Break, fences, function, loud, quiet
from tests.control.trust.breaks_recipients import policy
from tests.support.firm import now

from troth.keys.ids import uuid7

_OPEN = (
    "SELECT from_at, until_at, digest, jsonb_array_length(shown -> 'findings')"
    " FROM complaint_review_open_v1(%s, NULL, %s)"
)
_SIGN = """
SELECT complaint_review_v1(%s, %s, %s, %s, %s, 'Looked at.', %s::text[], %s::text[], %s::uuid[], %s::bytea[], '{}', '{}', %s)
"""


def review(world, programme, session):
    """What is open now, all of it accepted."""
    control = world.operator.control
    begin, until, digest, n = control.execute(_OPEN, (programme, session)).fetchone()
    lists = ["accepted"] * n, [""] * n, [uuid7(now()) for _ in range(n)], [b"\1"] * n
    control.execute(_SIGN, (uuid7(now()), programme, begin, until, digest, *lists, session))


TREND: list[Break] = [
    *fences("FBL-3", "complaint_review", "insert_only"),
    *fences("FBL-3", "complaint_finding", "insert_only"),
    *fences("FBL-3", "template_hour"),
    *function("FBL-3", "complaint_shown", "complaint_shown(uuid, timestamptz, timestamptz)"),
    *function(
        "FBL-3", "complaint_weeks_v1", "complaint_weeks_v1(timestamptz, timestamptz, uuid, uuid, text)"
    ),
    *function("FBL-3", "complaint_told", "complaint_told(uuid[], timestamptz, timestamptz, uuid, text)"),
    loud(
        "FBL-3",
        "a role may sign by itself",
        "GRANT INSERT ON complaint_review TO troth_control",
        "REVOKE INSERT ON complaint_review FROM troth_control",
    ),
    policy("FBL-3", "a policy asks for a review a year", '"loops_review":31', '"loops_review":365'),
    quiet("FBL-3", "what was shown is another", "complaint_review", "UPDATE complaint_review SET shown = shown || '{\"x\": 1}'"),
    quiet("FBL-3", "a review has a finding more", "complaint_review", "UPDATE complaint_review SET findings = findings + 1"),
    quiet("FBL-3", "a review is of long ago", "complaint_review",
          "UPDATE complaint_review SET from_at = from_at - interval '60 days', until_at = until_at - interval '40 days'"),
    quiet("FBL-3", "a review has no entry", ("complaint_review", "complaint_finding"), "DELETE FROM complaint_finding",
          "UPDATE complaint_review SET shown = '{\"findings\": []}', findings = 0,"
          " digest = sha256(convert_to('{\"findings\": []}', 'UTF8'))"),
    quiet("FBL-3", "a complaint is forgotten", "complaint", "DELETE FROM complaint"),
]  # fmt: skip
