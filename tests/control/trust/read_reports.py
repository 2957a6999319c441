"""The world's DMARC reports: two about each firm's domain and a review of each programme, signed; and what somebody might
do to what a review stands on.
"""

from tests.control.trust.breaking import Break, fences, function, loud, quiet
from tests.control.trust.breaks_recipients import policy
from tests.support import told
from tests.support.firm import now

from troth.keys.ids import uuid7

_OPEN = (
    "SELECT from_at, until_at, digest, jsonb_array_length(shown -> 'findings') FROM dmarc_review_open_v1(%s, NULL, %s)"
)
_SIGN = """
SELECT dmarc_review_v1(%s, %s, %s, %s, %s, 'Looked at.', %s::text[], %s::text[], %s::uuid[], %s::bytea[], '{}', '{}', %s)
"""


def read(world):
    """Of each programme."""
    for firm in world.firms.values():
        for _ in range(2):
            told.dmarc(world.operator, firm.name)
        signed(world, firm.programme)


def signed(world, programme):
    """What is open now, all of it accepted."""
    session, control = world.operator.sessions[0], world.operator.control
    begin, until, digest, n = control.execute(_OPEN, (programme, session)).fetchone()
    lists = ["accepted"] * n, [""] * n, [uuid7(now()) for _ in range(n)], [b"\1"] * n
    control.execute(_SIGN, (uuid7(now()), programme, begin, until, digest, *lists, session))


DMARC: list[Break] = [
    *fences("EML-4", "dmarc_report", "insert_only"),
    *fences("EML-4", "dmarc_review", "insert_only"),
    *fences("EML-4", "dmarc_finding", "insert_only"),
    *function("EML-4", "dmarc_shown", "dmarc_shown(uuid, timestamptz, timestamptz)"),
    *function(
        "EML-4",
        "dmarc_take_v1",
        "dmarc_take_v1(uuid, bytea, text, text, text, text, timestamptz, timestamptz, bytea, jsonb, integer, text, jsonb)",
    ),
    loud(
        "EML-4",
        "a role may sign by itself",
        "GRANT INSERT ON dmarc_review TO troth_control",
        "REVOKE INSERT ON dmarc_review FROM troth_control",
    ),
    policy("EML-4", "a policy asks for a review a year", '"dmarc_review":7', '"dmarc_review":365'),
    quiet("EML-4", "what was shown is another", "dmarc_review", "UPDATE dmarc_review SET shown = shown || '{\"x\": 1}'"),
    quiet("EML-4", "findings are forgotten", "dmarc_finding", "DELETE FROM dmarc_finding"),
    quiet("EML-4", "a review is of long ago", "dmarc_review",
          "UPDATE dmarc_review SET from_at = from_at - interval '40 days', until_at = until_at - interval '30 days'"),
    quiet("EML-4", "a review has no entry", ("dmarc_review", "dmarc_finding"), "DELETE FROM dmarc_finding",
          "UPDATE dmarc_review SET shown = '{\"findings\": []}', findings = 0, digest = sha256(convert_to('{\"findings\": []}', 'UTF8'))"),
]  # fmt: skip
