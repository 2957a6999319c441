"""The house of policy in words, what rules/policy_promises.py adds: which claims stand behind a field, the words round
it in a form, and its sentence. rules/policy_words.py and rules/policy_labels.py take them in.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from troth.rules.policy_said import length, number, share, span
from troth.rules.strictness import NONE

CLAIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "recipients.unsubscribe_days": ("CPL-4",),
        "records.delivery_days": ("LOG-1",),
        "schedule.penetration_test": ("APP-6",),
        "schedule.training": ("CPL-5", "APP-1"),
        "schedule.policy_review": ("CPL-5", "CPL-7"),
        "schedule.restore_drill": ("INF-9",),
        "schedule.incident_exercise": ("INC-1",),
        "schedule.isolation_exercise": ("INC-6",),
        "schedule.code_review": ("APP-1",),
        "schedule.code_scan": ("APP-1",),
        "schedule.running_scan": ("APP-1",),
        "schedule.enrolment": ("FBL-1",),
        "schedule.key_rotation": ("ENC-6",),
        "targets.delivered_permille": ("EML-9",),
        "targets.complaint_ppm": ("EML-10",),
        "targets.complaint_target_ppm": ("EML-10",),
        "targets.bounce_ppm": ("EML-11",),
        "targets.bounce_target_ppm": ("EML-11",),
        "targets.daily_volume": ("EML-12",),
        "targets.uptime_ppm": ("INF-10",),
        "hosting.region": ("INF-1",),
        "hosting.zones": ("INF-1",),
        "hosting.snapshot_days": ("INF-8",),
        "hosting.log_days": ("LOG-4",),
        "hosting.rpo_minutes": ("INF-9",),
        "hosting.rto_minutes": ("INF-9",),
        "response.alert": ("MON-2",),
        "response.detection": ("INC-1",),
        "response.triage": ("INC-1",),
        "response.containment": ("INC-1",),
        "response.investigation": ("INC-1",),
        "response.remediation": ("INC-1",),
        "response.review": ("INC-1", "INC-4"),
        "response.breach_authority": ("INC-5",),
    }
)
GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "response": "When something goes wrong",
        "schedule": "What is done again, and how often",
        "targets": "What is said of the mail in numbers",
        "hosting": "Where it runs",
        "trust": "What the trust centre does",
    }
)
LEADS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "recipients.unsubscribe_days": ("An opt-out is carried out within", "days"),
        "records.delivery_days": ("Keep the delivery log for at least", "days"),
        "trust.failing": ("A claim that fails is", ""),
        "trust.fails_opens_incident": ("When a claim turns to fail", ""),
        "trust.paper_days": ("A signed document of the trust centre is valid for", "days"),
        "trust.question_days": ("A question from outside is answered within", "days"),
        "trust.request_days": ("A request for documents is decided within", "days"),
        "schedule.penetration_test": ("Have a penetration test at least every", "days"),
        "schedule.training": ("Train the staff at least every", "days"),
        "schedule.policy_review": ("Review the written policies at least every", "days"),
        "schedule.restore_drill": ("Restore from a backup, as a drill, at least every", "days"),
        "schedule.incident_exercise": ("Rehearse an incident at least every", "days"),
        "schedule.isolation_exercise": ("Rehearse cutting a system off at least every", "days"),
        "schedule.code_review": ("Show that all code is reviewed at least every", "days"),
        "schedule.code_scan": ("Scan the code as text at least every", "days"),
        "schedule.running_scan": ("Scan the running service at least every", "days"),
        "schedule.enrolment": ("Look at the enrolment in feedback programmes at least every", "days"),
        "schedule.key_rotation": ("Replace an encryption key at least every", "days"),
        "targets.delivered_permille": ("Delivered: of 1,000 messages, more than", "messages"),
        "targets.complaint_ppm": ("Complained about: of a million messages, fewer than", "messages"),
        "targets.complaint_target_ppm": ("Complained about: aim at fewer, of a million, than", "messages"),
        "targets.bounce_ppm": ("Bounced: of a million messages, fewer than", "messages"),
        "targets.bounce_target_ppm": ("Bounced: aim at fewer, of a million, than", "messages"),
        "targets.daily_volume": ("Sent a day, about", "messages"),
        "targets.uptime_ppm": ("Up: of a million minutes, at least", "minutes"),
        "hosting.region": ("The service runs in the region", "such as eu-west-2, or none"),
        "hosting.zones": ("It is spread over at least", "availability zones"),
        "hosting.snapshot_days": ("Keep a daily snapshot for at least", "days"),
        "hosting.log_days": ("Keep the machines' own logs for at least", "days"),
        "hosting.rpo_minutes": ("A disaster loses at most what was written in", "minutes"),
        "hosting.rto_minutes": ("After a disaster the service is back within", "minutes"),
        "response.alert": ("Somebody on call answers an alert within", "such as 5 min"),
        "response.detection": ("Detect an incident within", "such as 15 min"),
        "response.triage": ("Grade it within", "such as 30 min"),
        "response.containment": ("Contain it within", "such as 2 h"),
        "response.investigation": ("Look into its cause within", "such as 24 h"),
        "response.remediation": ("Remove its cause within", "such as 24 h"),
        "response.review": ("Review it within", "such as 72 h or 5 business days"),
        "response.breach_authority": ("Tell the authority of a breach within", "such as 72 h"),
    }
)


def _every(what: str) -> Callable[[int], str]:
    return lambda days: f"{what} at least every {number(days, 'day')}"


def _within(what: str, nothing: str = "") -> Callable[[str], str]:
    return lambda given: nothing if given == NONE else f"{what} within {length(given)}"


def _unless(what: Callable[[int], str], nothing: str) -> Callable[[int], str]:
    return lambda value: what(value) if value else nothing


WORDS: Mapping[str, Callable[[Any], str]] = MappingProxyType(
    {
        "recipients.unsubscribe_days": lambda v: f"An opt-out is carried out within {number(v, 'day')}",
        "records.delivery_days": lambda v: f"The delivery log is kept for at least {number(v, 'day')}",
        "trust.failing": lambda v: (
            f"A claim that fails is {'said to fail' if v == 'say' else 'left out until it holds'}"
        ),
        "trust.fails_opens_incident": lambda v: (
            f"A claim that turns to fail {'opens an incident' if v else 'is told to those who answer for it alone'}"
        ),
        "trust.paper_days": lambda v: f"A signed document of the trust centre is valid for {number(v, 'day')}",
        "trust.question_days": lambda v: f"A question from outside is answered within {number(v, 'day')}",
        "trust.request_days": lambda v: f"A request for documents is decided within {number(v, 'day')}",
        "schedule.penetration_test": _every("Somebody independent tries to break in"),
        "schedule.training": _every("The staff are trained"),
        "schedule.policy_review": _every("The written policies are reviewed"),
        "schedule.restore_drill": _every("A backup is restored as a drill"),
        "schedule.incident_exercise": _every("An incident is rehearsed"),
        "schedule.isolation_exercise": _every("Cutting a system off is rehearsed"),
        "schedule.code_review": _every("It is shown that all code is reviewed"),
        "schedule.code_scan": _every("The code is scanned as text"),
        "schedule.running_scan": _every("The running service is scanned"),
        "schedule.enrolment": _every("The enrolment in feedback programmes is looked at"),
        "schedule.key_rotation": _every("An encryption key is replaced"),
        "targets.delivered_permille": _unless(
            lambda v: f"More than {share(v * 1_000)} of mail is delivered", "No share of delivered mail is promised"
        ),
        "targets.complaint_ppm": lambda v: f"Less than {share(v)} of mail is complained about",
        "targets.complaint_target_ppm": lambda v: f"Complaints are to stay below {share(v)}",
        "targets.bounce_ppm": lambda v: f"Less than {share(v)} of mail bounces",
        "targets.bounce_target_ppm": lambda v: f"Bounces are to stay below {share(v)}",
        "targets.daily_volume": _unless(
            lambda v: f"About {number(v, 'message')} are sent a day", "No number of messages a day is told"
        ),
        "targets.uptime_ppm": _unless(
            lambda v: f"The service is up {share(v)} of the time", "No share of time is promised in which it is up"
        ),
        "hosting.region": lambda v: f"The service runs in the region {v}" if v else "No region is named",
        "hosting.zones": lambda v: f"It is spread over {number(v, 'availability zone')}",
        "hosting.snapshot_days": _unless(
            lambda v: f"A daily snapshot is kept for {number(v, 'day')}", "No daily snapshot is promised"
        ),
        "hosting.log_days": _unless(
            lambda v: f"The machines' own logs are kept for {number(v, 'day')}",
            "No time is promised for machines' logs",
        ),
        "hosting.rpo_minutes": lambda v: f"A disaster loses at most what was written in {span(v)}",
        "hosting.rto_minutes": lambda v: f"After a disaster the service is back within {span(v)}",
        "response.alert": _within("An alert is answered", "No time is promised in which an alert is answered"),
        "response.detection": _within("An incident is detected"),
        "response.triage": _within("An incident is graded"),
        "response.containment": _within("An incident is contained"),
        "response.investigation": _within(
            "An incident's cause is looked into", "Its cause is looked into with its cure"
        ),
        "response.remediation": _within("An incident's cause is removed"),
        "response.review": _within("An incident is reviewed"),
        "response.breach_authority": _within("The authority is told of a breach"),
    }
)
