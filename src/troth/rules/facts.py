"""The gate's input: everything that its checks may look at, for one message, gathered before any of them runs.

None where a value is needed means that nobody knows, and every check answers what is not known with a refusal. What is
known to be absent has its own value: CLEAR for "on no suppression list", an empty tuple for "no problems".

Facts and verdicts are frozen msgspec Structs, used like frozen dataclasses (copy with msgspec.structs.replace): they
are built for every message, and a frozen dataclass takes five times as long to build.
"""

from datetime import datetime

from msgspec import Struct

from troth.rules.policy import Policy


def check_aware(moment: datetime | None, what: str) -> None:
    """Raise ValueError for a naive time: it could be any hour of the day."""
    if moment is not None and moment.tzinfo is None:
        raise ValueError(f"{what} must carry its time zone.")


class FieldProblem(Struct, frozen=True):
    """What is wrong with one field of a request. hint: in words, and without the value itself."""

    field: str
    code: str
    hint: str


class Tenant(Struct, frozen=True):
    """state: 'active' sends. paused: None, or 'operator', 'abuse', 'complaints', 'anomaly', ... timezone: IANA name.
    addressed: it has a postal address.
    """

    id: str
    state: str
    paused: str | None = None
    timezone: str = "UTC"
    addressed: bool | None = None


class Key(Struct, frozen=True):
    """live: 'live', 'revoked', 'expired' or 'elsewhere' (not from this network). categories: codes it may send, None
    for all. test: all is checked, nothing is sent.
    """

    id: str
    live: str
    categories: frozenset[str] | None = None
    sending_allowed: bool = True
    test: bool = False


class Category(Struct, frozen=True):
    """legal_class: 'required' is a notice that the law demands. sender_addr: bare addr-spec. named: the sender has a
    name. lawful_basis: GDPR's, '' where none is on record.
    """

    code: str
    name: str
    snapshot_id: str
    version: int
    approved: bool
    sender_addr: str
    sender_domain: str
    retired: bool = False
    legal_class: str = "transactional"
    raw_content_allowed: bool = False
    lawful_basis: str = ""
    named: bool | None = None


class Template(Struct, frozen=True):
    """digest_matches: the stored artefact still hashes to what was approved; None: not looked at."""

    code: str
    snapshot_id: str
    version: int
    approved: bool
    digest_matches: bool | None
    variable_problems: tuple[FieldProblem, ...] = ()


class Domain(Struct, frozen=True):
    """The last look at a sending domain. ready: at that look; lookup_failed: DNS did not answer at the latest try."""

    name: str
    ready: bool
    problems: tuple[str, ...]
    checked_at: datetime | None
    last_good_at: datetime | None = None
    lookup_failed: bool = False

    def __post_init__(self) -> None:
        check_aware(self.checked_at, "checked_at")
        check_aware(self.last_good_at, "last_good_at")


class Attachment(Struct, frozen=True):
    """size: decoded bytes. content_type: type/subtype, lower case, without parameters."""

    size: int
    content_type: str


class Email(Struct, frozen=True):
    """The request as a whole. from_asked: bare addr-spec, None when left out. raw: html or text came with the request.

    total_bytes: the message as it will be built, at most. problems: header fields and other content of the request.
    """

    from_asked: str | None
    recipient_count: int
    total_bytes: int
    raw: bool
    attachments: tuple[Attachment, ...] = ()
    variable_bytes: int = 0
    scheduled_at: datetime | None = None
    problems: tuple[FieldProblem, ...] = ()

    def __post_init__(self) -> None:
        check_aware(self.scheduled_at, "scheduled_at")


class Recipient(Struct, frozen=True):
    """status: 'unknown', 'pending', 'verified', 'expired' or 'erased'. field: where the request names it, as to[0].

    timezone: the recipient's own, an IANA name; None where nobody said.
    """

    status: str
    address_problem: FieldProblem | None = None
    pathway: str | None = None
    verified_at: datetime | None = None
    field: str = "to"
    timezone: str | None = None

    def __post_init__(self) -> None:
        check_aware(self.verified_at, "verified_at")


class Suppression(Struct, frozen=True):
    """One look at the suppression list. own: this tenant's doing, so that it may be told the reason.

    Of several entries a complaint is the one given. override: an approved one is in force; never for a complaint.
    """

    listed: bool
    reason: str = ""
    source: str = ""
    own: bool = False
    override: bool = False


CLEAR = Suppression(listed=False)


class Consent(Struct, frozen=True):
    """What the consent ledger comes to for this category: state 'held', 'expired', 'withdrawn' or 'none'; of what was
    given, its kind ('express', 'implied'), what it rests on, and until when (None: until it is taken back).
    """

    state: str
    kind: str | None = None
    basis: str | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        check_aware(self.until, "until")


UNASKED = Consent("unasked")  # the category is not sent on consent, so that nobody looked


class Rate(Struct, frozen=True):
    """One counter. scope: 'key', 'tenant', 'template' or 'recipient'; window: 'hour' or 'day'; all in messages.

    used: before this request; asking: what this whole request wants of the counter. subject: an id, never an address.
    """

    scope: str
    subject: str
    window: str
    limit: int
    used: int
    asking: int
    resets_at: datetime

    def __post_init__(self) -> None:
        check_aware(self.resets_at, "resets_at")


class Volume(Struct, frozen=True):
    """The tenant's messages: recent, of the last 24 h before this request; previous, of up to seven such windows
    before, newest first; reviewed, what two people let pass lately. asking: what this request wants. watched: False
    for mail that is not counted (Troth's own, test keys').
    """

    recent: int
    previous: tuple[int, ...]
    reviewed: int = 0
    asking: int = 0
    watched: bool = True


UNWATCHED = Volume(0, (), watched=False)


class Facts(Struct, frozen=True):
    """One message's facts at `now`. opted_out: an opt-out of this recipient covers this category. consent: when it is
    due; UNASKED where the category is not sent on consent.
    """

    now: datetime
    tenant: Tenant | None
    key: Key | None
    category: Category | None
    template: Template | None
    domain: Domain | None
    email: Email
    recipient: Recipient | None
    suppression: Suppression | None
    opted_out: bool | None
    rates: tuple[Rate, ...]
    policy: Policy | None
    content_problems: tuple[FieldProblem, ...] = ()
    volume: Volume | None = UNWATCHED
    consent: Consent | None = UNASKED

    def __post_init__(self) -> None:
        check_aware(self.now, "now")
