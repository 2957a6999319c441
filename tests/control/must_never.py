"""What must never be, whatever the table of rights says: written by hand, by people who have read the claims and not
permissions.toml. Each row names who, says in words what they must never do, and tries it over HTTP or in raw SQL.

A person is `role@place`: a (property), b (retail) and c (construction) are clients, @house is staff who look at none.
Members are their own client's; staff look at that client. In c only the author (of the client) and compliance (of the
staff) are named.
"""

from dataclasses import dataclass, field

REFUSED = "42501"  # insufficient_privilege


@dataclass(frozen=True)
class Http:
    """The page reads as one that is not there; or, with `lacks`, does not hold these words."""

    method: str
    path: str
    body: dict[str, str] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sql:
    """As role troth_control in that person's own session; `state` is what it meets, "" for no row at all."""

    statement: str
    state: str = REFUSED


@dataclass(frozen=True)
class Never:
    who: str
    what: str
    act: Http | Sql


def get(path: str, *lacks: str) -> Http:
    return Http("GET", path, lacks=lacks)


def post(path: str, **body: str) -> Http:
    return Http("POST", path, body)


def propose(kind: str, tenant: str = "%(tenant)s") -> Sql:
    return Sql(
        f"SELECT propose_v1(gen_random_uuid(), '{kind}', {tenant}, gen_random_uuid(), 'never', '{{}}', 'x', %(secret)s)"
    )


def approve(kind: str, at: str = "") -> Sql:
    """An open change of that kind, proposed by somebody else and shown in full."""
    return Sql(f"SELECT approve_v1(%({at}change_{kind})s, %({at}digest_{kind})s, %(secret)s)".replace("-", "_"))


def draft(kind: str) -> Sql:
    return Sql(f"SELECT draft_save_v1(gen_random_uuid(), %(tenant)s, '{kind}', NULL, 'never', '{{}}', 0, %(secret)s)")


COMMENT = Sql("SELECT comment_v1(gen_random_uuid(), %(change_template)s, 'I say so', %(secret)s)")
CLOSE = Sql("SELECT close_v1(%(change_template)s, 'no', %(secret)s)")
ASSIGN = Sql("SELECT assign_v1(%(change_template)s, ARRAY[%(account)s]::uuid[], %(secret)s)")
REVOKE = Sql("SELECT revoke_v1(%(version)s, 'no', %(secret)s)")
DROP = Sql("SELECT draft_drop_v1(%(draft)s, 1, %(secret)s)")
END_OWNERS = Sql("SELECT sessions_end_v1(%(secret)s, %(owner)s)")
END_ADMINS = Sql("SELECT sessions_end_v1(%(secret)s, %(admin)s)")
STOP = Sql("SELECT stop_v1(%(tenant)s, NULL, 'stop-delivery', 'never', %(secret)s)")
WATCH = Sql("SELECT pause_v1(ARRAY[%(tenant)s]::uuid[], 'stop-delivery', 'never', 'anomaly')")
HIS = ("zoe@", "Your rent for December")  # who a message went to, and what it said

READING = (
    Never("support@a", "sees to whom a message went, or what it said", get("/messages/{message}", *HIS)),
    Never("support@a", "sees the recipients in the list of messages", get("/messages", *HIS)),
    Never("support@a", "sees the addresses on the list of suppressions", get("/suppressions", "gone@")),
    Never("auditor@b", "sees the addresses on the list of suppressions", get("/suppressions", "gone@")),
    Never("support@a", "takes a receipt", get("/messages/{message}/receipt")),
    Never("support@a", "sees who has access", get("/people")),
    Never("support@a", "sees API keys", get("/keys")),
    Never("support@b", "sees to whom a shop's message went", get("/messages/{message}", *HIS)),
    Never("auditor@a", "sees to whom a message went, or what it said", get("/messages/{message}", *HIS)),
    Never("auditor@c", "sees the recipients in the list of messages", get("/messages", *HIS)),
    Never("ops-admin@a", "sees what a message said", get("/messages/{message}", *HIS)),
    Never("security@a", "sees what a message said", get("/messages/{message}", *HIS)),
    Never("security@a", "reads a client's templates", get("/templates/{template}")),
    Never("security@a", "reads a client's suppressions", get("/suppressions")),
    Never("viewer@a", "sees API keys", get("/keys")),
    Never("viewer@a", "sees who has access", get("/people")),
    Never("author@a", "sees who has access", get("/people")),
    Never("author@a", "sees API keys", get("/keys/{key}")),
    Never("developer@a", "sees who has access", get("/people")),
    Never("developer@a", "sees one of the people", get("/people/{person}")),
    Never("developer@a", "sees access reviews", get("/reviews")),
    Never("approver@a", "sees API keys", get("/keys")),
    Never("deliverability@a", "sees API keys", get("/keys")),
    Never("deliverability@a", "sees who has access", get("/people")),
    Never("ops-admin@house", "sees the operator's own people", get("/people", "@operator.test")),
    Never("support@house", "sees the operator's own people", get("/people")),
)
ACROSS = (
    Never("admin@a", "reads another client's message", get("/messages/{b_message}")),
    Never("admin@a", "takes another client's receipt", get("/messages/{b_message}/receipt")),
    Never("admin@a", "reads another client's template", get("/templates/{b_template}")),
    Never("admin@a", "reads another client's domain", get("/domains/{b_domain}")),
    Never("admin@a", "sees another client's person", get("/people/{b_person}")),
    Never("admin@a", "sees another client's API key", get("/keys/{b_key}")),
    Never("admin@a", "sees the list of clients", get("/clients")),
    Never("admin@a", "looks at another client", post("/scope", client="{b_tenant}")),
    Never("viewer@b", "reads another client's ledger entry", get("/ledger/entries/{a_entry}")),
    Never("owner@a", "reads another client's message than the one they look at", get("/messages/{b_message}")),
    Never("admin@a", "proposes for another client", propose("template", "%(b_tenant)s")),
    Never("admin@a", "proposes for the house", propose("policy", "NULL")),
    Never("admin@a", "makes a client", propose("tenant", "NULL")),
    Never("admin@a", "approves another client's change", approve("template", "b_")),
    Never("admin@a", "comments on another client's change",
          Sql("SELECT comment_v1(gen_random_uuid(), %(b_change_template)s, 'hm', %(secret)s)")),
    Never("admin@a", "ends another client's version", Sql("SELECT revoke_v1(%(b_version)s, 'no', %(secret)s)")),
    Never("admin@a", "ends the sessions of another client's people", Sql("SELECT sessions_end_v1(%(secret)s, %(b_admin)s)")),
    Never("admin@a", "ends the sessions of the operator's owner", END_OWNERS),
    Never("admin@b", "saves a draft for another client",
          Sql("SELECT draft_save_v1(gen_random_uuid(), %(a_tenant)s, 'template', NULL, 'x', '{}', 0, %(secret)s)")),
    Never("owner@house", "reads a client's message while looking at none", get("/messages/{b_message}", *HIS)),
    Never("owner@house", "lists messages of all clients", get("/messages", "zoe@", "firm-b.example")),
    Never("support@house", "lists templates of all clients", get("/templates", "reminder")),
    Never("owner@house", "reads rows of clients while looking at none", Sql("SELECT 1 FROM message", "")),
    Never("owner@house", "reads addresses while looking at none", Sql("SELECT 1 FROM person", "")),
    Never("owner@house", "proposes a template for no client", propose("template", "NULL")),
)  # fmt: skip
CHANGING = (
    # one person's stop is of those who answer for mail
    Never("support@a", "stops a client", STOP),
    Never("auditor@a", "stops a client", STOP),
    Never("viewer@a", "stops their own firm", STOP),
    Never("author@a", "stops their own firm", STOP),
    Never("approver@a", "stops their own firm", STOP),
    Never("developer@a", "stops their own firm", STOP),
    Never("support@house", "stops everything", STOP),
    Never("auditor@house", "stops everything", STOP),
    Never("admin@a", "stops another client", Sql("SELECT stop_v1(%(b_tenant)s, NULL, 'stop-new', 'x', %(secret)s)")),
    Never("admin@a", "stops everything", Sql("SELECT stop_v1(NULL, NULL, 'stop-new', 'x', %(secret)s)")),
    Never(
        "admin@a",
        "stops another client's category",
        Sql("SELECT stop_v1(%(tenant)s, %(b_category)s, 'stop-new', 'x', %(secret)s)"),
    ),
    Never("owner@house", "stops in the watch's name", WATCH),
    Never("support@a", "opens the page that stops", get("/stops/start")),
    Never("viewer@a", "opens the page that stops", get("/stops/start")),
    Never("author@a", "proposes to lift a stop", get("/stops/{pause}/release")),
    Never("admin@a", "proposes to lift another client's stop", get("/stops/{b_pause}/release")),
    # an auditor changes nothing
    Never("auditor@a", "proposes a template", propose("template")),
    Never("auditor@a", "proposes a policy", propose("policy")),
    Never("auditor@a", "approves a template", approve("template")),
    Never("auditor@a", "approves an API key", approve("api-key")),
    Never("auditor@a", "comments", COMMENT),
    Never("auditor@a", "rejects", CLOSE),
    Never("auditor@a", "hands a change on", ASSIGN),
    Never("auditor@a", "saves a draft", draft("template")),
    Never("auditor@a", "discards a draft", DROP),
    Never("auditor@a", "ends a version", REVOKE),
    Never("auditor@a", "ends somebody's sessions", END_ADMINS),
    Never("auditor@house", "proposes a policy for all", propose("policy", "NULL")),
    Never("auditor@house", "gives access", propose("grant", "NULL")),
    # support reads
    Never("support@a", "proposes a template", propose("template")),
    Never("support@a", "approves a template", approve("template")),
    Never("support@a", "approves a release", approve("release")),
    Never("support@a", "proposes a release", propose("release")),
    Never("support@a", "comments", COMMENT),
    Never("support@a", "ends a version", REVOKE),
    Never("support@a", "ends somebody's sessions", END_ADMINS),
    # a viewer views
    Never("viewer@a", "proposes a template", propose("template")),
    Never("viewer@a", "proposes a category", propose("category")),
    Never("viewer@a", "saves a draft", draft("template")),
    Never("viewer@a", "approves a template", approve("template")),
    Never("viewer@a", "comments", COMMENT),
    Never("viewer@a", "rejects", CLOSE),
    Never("viewer@a", "ends a version", REVOKE),
    Never("viewer@a", "proposes a release", propose("release")),
    # an author writes, and no more
    Never("author@a", "approves a template", approve("template")),
    Never("author@a", "approves a category", approve("category")),
    Never("author@a", "rejects somebody's template", CLOSE),
    Never("author@a", "proposes a policy", propose("policy")),
    Never("author@a", "proposes a domain", propose("domain")),
    Never("author@a", "proposes an API key", propose("api-key")),
    Never("author@a", "gives access", propose("grant")),
    Never("author@a", "ends a version", REVOKE),
    Never("author@a", "proposes a release", propose("release")),
    # an approver approves what the client sends, not who may or under which rules
    Never("approver@a", "proposes a policy", propose("policy")),
    Never("approver@a", "approves a policy", approve("policy")),
    Never("approver@a", "approves a domain", approve("domain")),
    Never("approver@a", "approves somebody's access", approve("grant")),
    Never("approver@a", "approves a release", approve("release")),
    Never("approver@a", "approves a suppression override", approve("override")),
    # a developer has keys and webhooks
    Never("developer@a", "proposes a template", propose("template")),
    Never("developer@a", "proposes a category", propose("category")),
    Never("developer@a", "approves a template", approve("template")),
    Never("developer@a", "approves an API key", approve("api-key")),
    Never("developer@a", "gives access", propose("grant")),
    Never("developer@a", "proposes a policy", propose("policy")),
    Never("developer@a", "ends a version", REVOKE),
    # a client's administrator does not decide what the operator answers for
    Never("admin@a", "approves a policy", approve("policy")),
    Never("admin@a", "approves a domain", approve("domain")),
    Never("admin@a", "approves a suppression override", approve("override")),
    Never("admin@a", "approves a release", approve("release")),
    Never("admin@a", "approves how people sign on", approve("sign-on")),
    Never("admin@a", "approves who is designated", approve("designation")),
    Never("admin@a", "proposes a programme", propose("programme", "NULL")),
    # staff, each by their job
    Never("ops-admin@a", "proposes a template", propose("template")),
    Never("ops-admin@a", "approves a template", approve("template")),
    Never("ops-admin@a", "proposes a category", propose("category")),
    Never("ops-admin@a", "proposes a policy", propose("policy")),
    Never("ops-admin@a", "approves somebody's access", approve("grant")),
    Never("ops-admin@a", "proposes a suppression override", propose("override")),
    Never("security@a", "proposes a template", propose("template")),
    Never("security@a", "approves a policy", approve("policy")),
    Never("security@a", "approves a release", approve("release")),
    Never("deliverability@a", "gives access", propose("grant")),
    Never("deliverability@a", "proposes an API key", propose("api-key")),
    Never("deliverability@a", "approves a suppression override", approve("override")),
    Never("compliance@a", "approves somebody's access", approve("grant")),
    Never("compliance@a", "proposes an API key", propose("api-key")),
    Never("compliance@house", "proposes a programme", propose("programme", "NULL")),
    Never("security@house", "makes a client", propose("tenant", "NULL")),
    # where two are named, nobody else writes (CHG-7)
    Never("admin@c", "writes a template, unnamed", propose("template")),
    Never("admin@c", "writes a draft of a template, unnamed", draft("template")),
    Never("admin@c", "writes a category, unnamed", propose("category")),
    Never("admin@c", "writes a policy, unnamed", propose("policy")),
    Never("approver@c", "writes a template, unnamed", propose("template")),
    Never("owner@c", "writes a template, unnamed", propose("template")),
    Never("owner@c", "writes the client's policy, unnamed", propose("policy")),
    Never("deliverability@c", "writes a category, unnamed", propose("category")),
    # where ops-admins alone send (SND-1)
    Never("admin@b", "proposes to let held mail go", propose("release")),
    Never("deliverability@b", "proposes to let held mail go", propose("release")),
    Never("deliverability@b", "lets held mail go", approve("release")),
    Never("compliance@b", "lets held mail go", approve("release")),
    Never("security@b", "lets held mail go", approve("release")),
)
# who may both propose and approve a kind still never approves their own
OWN = (
    Never("admin@a", "approves their own template", Sql("template")),
    Never("approver@a", "approves their own template", Sql("template")),
    Never("admin@a", "approves their own colleague's access", Sql("grant")),
    Never("owner@a", "approves their own policy", Sql("policy")),
    Never("owner@house", "approves their own grant", Sql("grant")),
    Never("compliance@a", "approves their own override", Sql("override")),
    Never("deliverability@a", "approves their own domain", Sql("domain")),
    Never("ops-admin@a", "approves their own key", Sql("api-key")),
    Never("ops-admin@b", "lets their own held mail go", Sql("release")),
    Never("compliance@c", "approves their own template, though named", Sql("template")),
)
ROWS = (*READING, *ACROSS, *CHANGING)
