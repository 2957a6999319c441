"""The gate's and the worker's numbers, one class a section of the policy document: each field with its type, what
stricter means of it, and what it is for. rules/policy.py combines them.
"""

from dataclasses import dataclass
from typing import Annotated

from troth.rules.business_time import country_problem, hours_problem, zone_problem
from troth.rules.strictness import (
    Allowed,
    AtLeast,
    AtMost,
    LockedNumber,
    Named,
    Ordered,
    Required,
    Switch,
    Waits,
    Within,
)

PATHWAYS = ("confirmation-link", "employer-invitation", "multi-step", "system", "vendor-agreement")
HOURS = tuple(f"{hour:02}" for hour in range(24))
_MANY = 100_000_000
_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Messages a window. An hour is UTC's; a day is the tenant's own."""

    tenant_hour: Annotated[int, AtMost(0, _MANY), "messages a tenant may send in an hour"]
    tenant_day: Annotated[int, AtMost(0, _MANY), "messages a tenant may send in its local day"]
    key_hour: Annotated[int, AtMost(0, _MANY), "messages one API key may send in an hour"]
    template_hour: Annotated[int, AtMost(0, _MANY), "messages of one template in an hour"]
    recipient_template_day: Annotated[int, AtMost(0, _MANY), "messages of one template to one recipient in a day"]


@dataclass(frozen=True, slots=True)
class Bounce:
    """What failures of an address lead to."""

    soft_retry_minutes: Annotated[tuple[int, ...], Waits(1, 10_080, 3), "waits before each soft retry"]
    soft_window_minutes: Annotated[int, AtMost(1, 20_160), "window of the soft retries; then the address is bad"]
    hard_suppresses: Annotated[bool, Switch(strict=True), "a hard bounce suppresses at once and for good"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How long and how a message is tried."""

    lifetime_minutes: Annotated[int, AtMost(1, 43_200), "life of a message of the category, from its due time"]
    uncertain: Annotated[str, Ordered(("redeliver", "hold")), "what is done when a worker was lost mid-send"]


@dataclass(frozen=True, slots=True)
class Quiet:
    """When a recipient is left in peace; what is due then is held until the next other hour (rules/quiet.py)."""

    hours: Annotated[tuple[str, ...], Required(HOURS), "hours of the recipient's own day in which nothing is sent"]


@dataclass(frozen=True, slots=True)
class Anomaly:
    """What is unusual: volume against its own past (24 h against the mean of the seven before), bounces, complaints."""

    percent: Annotated[int, AtMost(100, 1_000), "volume in percent of the mean above which the action is taken"]
    action: Annotated[str, Ordered(("slow", "stop-new", "stop-delivery")), "what happens until a person has looked"]
    new_mail: Annotated[str, Ordered(("hold", "refuse")), "what new mail gets while stopped"]
    floor: Annotated[int, AtMost(0, _MANY), "messages in 24 h at or below which nothing is an anomaly"]
    first_week_floor: Annotated[int, AtMost(0, _MANY), "the same floor while there are not yet seven days of past"]
    slow_percent: Annotated[int, AtMost(1, 100), "share of the hourly limits left while slowed"]
    review_minutes: Annotated[int, AtMost(1, 10_080), "time in which a person looks"]
    ratio_hours: Annotated[int, LockedNumber(1, 168), "hours over which bounces and complaints are weighed"]
    bounce_permille: Annotated[int, AtMost(1, 1_000), "bounces per mille of what was answered, above which is one"]
    bounce_sample: Annotated[int, AtMost(1, _MANY), "answered messages before which bounces are not weighed"]
    complaint_permille: Annotated[int, AtMost(1, 1_000), "complaints per mille of what was taken, above which is one"]
    complaint_sample: Annotated[int, AtMost(1, _MANY), "taken messages before which complaints are not weighed"]


@dataclass(frozen=True, slots=True)
class Content:
    """What a message may carry."""

    raw: Annotated[bool, Switch(strict=False), "a category's approved policy may permit content without a template"]
    variable_bytes: Annotated[int, AtMost(0, _MEBIBYTE), "bytes of one message's variables, as JSON"]
    message_bytes: Annotated[int, AtMost(1_024, 40 * _MEBIBYTE), "bytes of one message, attachments encoded"]
    attachment_count: Annotated[int, AtMost(0, 100), "attachments of one message"]
    attachment_bytes: Annotated[int, AtMost(0, 40 * _MEBIBYTE), "bytes of all attachments, decoded"]
    attachment_types: Annotated[tuple[str, ...], Allowed(), "media types an attachment may have"]
    max_recipients: Annotated[int, AtMost(1, 50), "recipients of one email: to, cc and bcc together"]
    schedule_days: Annotated[int, AtMost(0, 30), "days ahead for which an email may be scheduled"]


@dataclass(frozen=True, slots=True)
class Recipients:
    """Who may be mailed."""

    pathways: Annotated[tuple[str, ...], Allowed(PATHWAYS), "ways in which an address may have been verified"]
    unsubscribe_scope: Annotated[str, Ordered(("category", "all")), "what one opt-out covers"]
    overrides: Annotated[bool, Switch(strict=False), "an approved, expiring override of a suppression is possible"]
    disposable: Annotated[str, Ordered(("take", "refuse")), "what registration does with a disposable address"]
    roles: Annotated[str, Ordered(("take", "refuse")), "what registration does with the address of a role or a list"]
    verified_days: Annotated[int, AtMost(1, 3_650), "days a verification stands before the recipient is asked again"]
    unsubscribe_days: Annotated[int, AtMost(1, 10), "days until an opt-out is carried out, at the latest"]


@dataclass(frozen=True, slots=True)
class Domain:
    """What a sending domain must show, and for how long its last good look stands."""

    required: Annotated[tuple[str, ...], Required(("dkim", "dmarc-reject", "spf")), "what must hold in DNS"]
    dkim_bits: Annotated[int, AtLeast(2_048, 8_192), "least size of its DKIM key"]
    grace_minutes: Annotated[int, AtMost(0, 120), "how long the last good look stands while DNS does not answer"]


@dataclass(frozen=True, slots=True)
class Governance:
    """How many eyes a change needs, and for how long it may wait for them."""

    approvers: Annotated[int, AtLeast(1, 5), "people who must approve a change, its author never among them"]
    change_days: Annotated[int, AtMost(1, 14), "days after which a proposed change that nobody decided expires"]


@dataclass(frozen=True, slots=True)
class Access:
    """Who is still let in: sessions, accounts and API keys, and when each ends by itself."""

    idle_minutes: Annotated[int, AtMost(5, 30), "minutes without a request after which a session ends"]
    sessions: Annotated[int, AtMost(1, 10), "sessions one person may have at the same time"]
    unused_days: Annotated[int, AtMost(7, 365), "days without a sign-in after which an account is deactivated"]
    leaver_hours: Annotated[int, AtMost(0, 24), "hours after the mark in which a leaver's access has ended"]
    review_days: Annotated[int, AtMost(7, 366), "days from one access review to the next"]
    key_days: Annotated[int, AtMost(1, 365), "days an API key may live before it must be rotated"]
    key_overlap_hours: Annotated[int, AtMost(0, 168), "hours a rotated key's old secret still works beside the new"]


@dataclass(frozen=True, slots=True)
class Records:
    """How long each record is kept; longer is stricter."""

    access_days: Annotated[int, AtLeast(1, 3_650), "days the access log is kept: sign-ins, failures, addresses"]
    change_days: Annotated[int, AtLeast(1, 36_500), "days the log of changes is kept, with its full differences"]
    request_days: Annotated[int, AtLeast(1, 3_650), "days the log of API requests is kept"]
    grant_days: Annotated[int, AtLeast(1, 3_650), "days the log of grants and permission changes is kept"]
    delivery_days: Annotated[int, AtLeast(1, 3_650), "days the delivery log is kept: each message and its events"]


@dataclass(frozen=True, slots=True)
class Cases:
    """By when people act on what comes back, and in whose business time (rules/cases.py, docs/cases.md)."""

    complaint_review: Annotated[str, Within(), "time from a complaint until it has been reviewed"]
    complaint_told: Annotated[str, Within(optional=True), "time until client success is told of a complaint"]
    complaint_pattern: Annotated[int, AtMost(1, _MANY), "complaints of one client that make a pattern"]
    complaint_pattern_hours: Annotated[int, AtLeast(1, 720), "hours in which they count together"]
    complaint_suspends: Annotated[bool, Switch(strict=True), "a pattern of complaints suspends the client"]
    abuse_acknowledged: Annotated[str, Within(), "time until a report of abuse is acknowledged"]
    abuse_resolved: Annotated[str, Within(), "time until a report of abuse is resolved"]
    abuse_suspends: Annotated[bool, Switch(strict=True), "confirmed abuse suspends the client"]
    disclosure_acknowledged: Annotated[str, Within(), "time until a report of a vulnerability is acknowledged"]
    disclosure_assessed: Annotated[str, Within(), "time until it is assessed, and its severity said"]
    disclosure_updated: Annotated[str, Within(optional=True), "time from one word to its reporter to the next"]
    patch_critical: Annotated[str, Within(), "time from its assessment until a critical vulnerability is patched"]
    patch_high: Annotated[str, Within(), "the same for one of high severity"]
    loops_review: Annotated[int, AtMost(1, 366), "days from one review of complaints to the next"]
    dmarc_review: Annotated[int, AtMost(1, 366), "days from one review of DMARC reports to the next"]
    zone: Annotated[str, Named(zone_problem), "time zone of business days and hours"]
    country: Annotated[str, Named(country_problem), "whose public holidays are no business days; empty: only weekends"]
    hours: Annotated[str, Named(hours_problem), "business hours of a business day"]


@dataclass(frozen=True, slots=True)
class Installation:
    """Knobs that the whole installation shares: the strictest of all programmes counts (see strictest)."""

    relay_tls: Annotated[str, Ordered(("tls1.2", "tls1.3")), "least TLS towards a relay; without TLS none is sent"]
    request_bytes: Annotated[int, AtMost(1_024, 100 * _MEBIBYTE), "bytes of one request at the door"]
    batch_emails: Annotated[int, AtMost(1, 500), "emails of one batch request"]
    override_hours: Annotated[int, AtMost(0, 720), "hours after which an approved suppression override ends"]
