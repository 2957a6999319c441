"""Three programmes, one of each profile, whose claims stand in every state there is, with sixty days behind them."""

import json
from datetime import timedelta
from uuid import UUID

from tests.support.firm import Operator, now

from troth.control.trust.catalogue import claims
from troth.control.trust.controls import CONTROLS
from troth.rules.profile import load_profile

NAMES = {"property": "Quay Lettings", "construction": "Ironwood Building", "retail": "Larder Supplies"}
SEEN = {"attempts_refused": 4, "messages_looked_at": 1_280, "share": "99.2 %", "next_due": "2026-12-01", "tenant": "x"}
FAILS = {"BNC-2": ("2 of 40 soft bounces of mail.client.example were not tried again, such as msg_a_0123456789abcdef",)}
NO_DATA = {"ABU-1": ("no report of abuse was settled in 90 days; 0 came",),
           "CMP-2": ('it could not look: OperationalError: connection to "10.0.0.7" failed',)}  # fmt: skip
STALE = ("EML-5",)
BROKE = {"EML-2": 20, "BNC-2": 1}  # days ago; BNC-2 still does not hold
_STATE = """
INSERT INTO claim_state (claim, programme_id, state, evidence, checked_at, since, told_at) VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_HISTORY = (
    "INSERT INTO claim_history (claim, programme_id, state, was, evidence, checked_at) VALUES (%s, %s, %s, %s, %s, %s)"
)
_TURN = """
INSERT INTO claim_history (claim, programme_id, state, was, evidence, checked_at, first, version, entry)
VALUES (%s, %s, %s, %s, '{}', %s, false, 'aa', sha256(convert_to(gen_random_uuid()::text, 'UTF8')))
"""


def programmes(operator: Operator, **policy: object) -> dict[str, UUID]:
    """By profile; `policy`: sections' values that replace the profile's."""
    made = {}
    for profile, name in NAMES.items():
        made[profile] = operator.govern(
            "programme", None, profile, {"name": name, "profile": profile, "domain": f"{profile}.example"}
        )
        document = json.loads(json.dumps(load_profile(profile).document))
        for section, values in policy.items():
            document[section] |= values
        operator.govern("policy", None, f"programme:{profile}", document)
    return made


def told(operator: Operator, made: dict[str, UUID], days: int = 45, holds: tuple[str, ...] = ()) -> None:
    """Each control's finding as a check keeps it, and the days before. `holds`: claims that hold after all."""
    scopes = {claim.id: claim for claim in claims()}
    with operator.database.filler() as connection:
        for control in CONTROLS:
            claim = scopes[control.claim]
            owners = [id_ for profile, id_ in made.items() if claim.promised_by(profile)]
            for owner in owners if claim.scope != "installation" else [None] if owners else []:
                _one(connection, claim.id, owner, days, holds)


def _one(connection, claim: str, owner: UUID | None, days: int, holds: tuple[str, ...]) -> None:
    at = now() - timedelta(minutes=4)
    state = "holds" if claim in holds else _state(claim)
    why = {**FAILS, **NO_DATA}.get(claim, ()) if state != "holds" else ()
    evidence = json.dumps({"why": list(why), "seen": SEEN})
    at = at - timedelta(days=3) if claim in STALE else at
    since = at - timedelta(days=BROKE.get(claim, days)) if state == "fails" else at - timedelta(days=days)
    connection.execute(_STATE, (claim, owner, state, evidence, at, since, at))
    for ago in range(days, -1, -1):
        was = "holds" if state in ("fails", "stale") and (ago > BROKE.get(claim, 0) or state == "stale") else state
        was = "fails" if claim in BROKE and ago == BROKE[claim] and claim not in holds else was
        connection.execute(_HISTORY, (claim, owner, was, was, "{}", at - timedelta(days=ago)))


def turned(operator: Operator, claim: str, owner: UUID | None, was: str, state: str, ago: timedelta) -> None:
    with operator.database.filler() as connection:
        connection.execute(_TURN, (claim, owner, state, was, now() - ago))


def _state(claim: str) -> str:
    if claim in FAILS:
        return "fails"
    return "no data yet" if claim in NO_DATA else "holds"
