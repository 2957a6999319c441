"""The gate's numbers, of yesterday: what an approved promise is read as, where it is older than a section or a field.

Whoever adds one to rules/policy.py adds it here, as strict as the strictest of the three profiles has it.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Document = Mapping[str, Mapping[str, Any]]
# What a promise that was approved before these sections existed is read as: the strictest of the three profiles.
_SECTIONS: Document = MappingProxyType(
    {
        "quiet": {"hours": []},
        "governance": {"approvers": 1, "change_days": 14},
        "access": {
            "idle_minutes": 30,
            "sessions": 5,
            "unused_days": 90,
            "leaver_hours": 24,
            "review_days": 92,
            "key_days": 90,
            "key_overlap_hours": 72,
        },
        "records": {
            "access_days": 365,
            "change_days": 3650,
            "request_days": 90,
            "grant_days": 365,
            "delivery_days": 90,
        },
        "cases": {
            "complaint_review": "4 h",
            "complaint_told": "1 h",
            "complaint_pattern": 3,
            "complaint_pattern_hours": 24,
            "complaint_suspends": True,
            "abuse_acknowledged": "24 h",
            "abuse_resolved": "24 h",
            "abuse_suspends": True,
            "disclosure_acknowledged": "48 h",
            "disclosure_assessed": "5 business days",
            "disclosure_updated": "14 d",
            "patch_critical": "72 h",
            "patch_high": "14 d",
            "loops_review": 31,
            "dmarc_review": 7,
            "zone": "UTC",
            "country": "",
            "hours": "09:00-17:00",
        },
        "response": {
            "alert": "5 min",
            "detection": "15 min",
            "triage": "30 min",
            "containment": "2 h",
            "investigation": "24 h",
            "remediation": "24 h",
            "review": "72 h",
            "breach_authority": "72 h",
        },
        "schedule": {
            "penetration_test": 365,
            "training": 365,
            "policy_review": 365,
            "restore_drill": 92,
            "incident_exercise": 365,
            "isolation_exercise": 365,
            "code_review": 92,
            "code_scan": 31,
            "running_scan": 92,
            "enrolment": 365,
            "key_rotation": 90,
        },
        "targets": {
            "delivered_permille": 980,
            "complaint_ppm": 300,
            "complaint_target_ppm": 500,
            "bounce_ppm": 14_000,
            "bounce_target_ppm": 20_000,
            "daily_volume": 0,
            "uptime_ppm": 999_500,
        },
        "hosting": {
            "region": "",
            "zones": 3,
            "snapshot_days": 30,
            "log_days": 365,
            "rpo_minutes": 240,
            "rto_minutes": 120,
        },
        "trust": {
            "failing": "say",
            "fails_opens_incident": False,
            "paper_days": 7,
            "question_days": 7,
            "request_days": 7,
        },
    }
)
# The same for what came to a section that had been there.
_FIELDS: Document = MappingProxyType(
    {
        "recipients": {"disposable": "refuse", "roles": "refuse", "verified_days": 365, "unsubscribe_days": 10},
        "records": {"delivery_days": 90},
        "anomaly": {
            "ratio_hours": 24,
            "bounce_permille": 80,
            "bounce_sample": 100,
            "complaint_permille": 3,
            "complaint_sample": 300,
        },
    }
)
# What no rule of sending reads: sentences alone. A promise that is older says in them what its profile says.
_SAID = ("response", "schedule", "targets", "hosting", "trust")


def of_profile(promise: Any, profile: Document) -> Any:
    """An approved promise with its own profile's sections of sentences, where it is older than they are."""
    if not isinstance(promise, Mapping):
        return promise
    return {**{name: profile[name] for name in _SAID}, **promise}


def of_today(promise: Any) -> Any:
    """An approved promise never changes, so what came after it is filled in; any other gap stays one."""
    if not isinstance(promise, Mapping):
        return promise
    given = {name: section for name, section in promise.items() if isinstance(section, Mapping)}
    later = {name: {**more, **given[name]} for name, more in _FIELDS.items() if name in given}
    return {**_SECTIONS, **promise, **later}
