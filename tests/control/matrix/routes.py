"""Every page by its name: one line each. A page of urls.py without a line here fails the matrix, and says so.

A line says what the page may be asked with and which right it needs; who has that right stands in expected.txt.
"""

from dataclasses import dataclass, field

GET, POST = ("GET",), ("POST",)
BOTH = ("GET", "POST")
OPEN, OUTSIDE = "open", "outside"  # the way in, which a session makes no difference to; and what knows no session


@dataclass(frozen=True)
class Page:
    """`args`: the address's parts; `@template` is such a thing of the client that is asked about (world.py makes them),
    `=level` a word that depends on where one looks.
    `get` and `post`: the actions; `alone`: "page" where staff who may see the house's things are shown such a thing
    while they look at no client; else a client's thing is not there for them. `body`: what a form has to say to be let in. `kind`:
    "open" and "outside" need nobody. `leads`: "out" for the way out, "door" for what the sending door answers,
    "client" where staff are led to the client whose thing it is, "choose" where they are asked for it.
    """

    name: str
    args: dict[str, str | int] = field(default_factory=dict)
    get: str = ""
    post: str = ""
    methods: tuple[str, ...] = GET
    fresh: bool = False
    alone: str = ""
    body: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    leads: str = ""
    also: str = ""  # the right that its form wants besides, by what the thing is (world.py's change is a template's)
    empty: bool = False  # there is no such thing even for whoever may see it

    @property
    def things(self) -> bool:
        return any(str(value).startswith("@") for value in self.args.values())

    def action(self, method: str) -> str:
        return (self.get or self.post) if method == "GET" else (self.post or self.get)


_T = {"subject": "@template"}
_V = {"subject": "@template", "number": 1}
_FIRM = {"tenant": "@tenant"}
_MINE = {"get": "self:read", "post": "self:write"}

PAGES = (
    Page("home", get="home:read"),
    Page("clients", get="clients:read"),
    Page("scope", get="clients:read", methods=POST, body={"client": ""}),
    Page("look", methods=POST, kind=OPEN),
    # ---- templates
    Page("templates", get="template:read"),
    Page("template", _T, get="template:read"),
    Page("template-version", _V, get="template:read"),
    Page("template-preview", _V, get="template:read"),
    Page("template-compare", _T, get="template:read"),
    Page("template-new", get="template:propose", methods=BOTH),
    Page("template-look", get="template:propose", methods=BOTH),
    Page("template-panel", get="template:propose", methods=POST),
    Page("template-drafts", get="template:propose"),
    Page("template-draft", {"draft": "@draft"}, get="template:propose", methods=BOTH),
    Page("template-discard", {"draft": "@draft"}, get="template:propose", methods=POST),
    Page("template-restore", _V, get="template:propose", methods=POST),
    Page("template-retire", _T, get="template:propose", methods=POST),
    Page("template-test", _V, get="message:test", methods=POST),
    Page("template-stop", _V, get="version:revoke", methods=POST),
    # ---- categories
    Page("categories", get="category:read"),
    Page("category", {"subject": "@category"}, get="category:read"),
    Page("category-new", get="category:propose", methods=BOTH),
    Page("category-edit", {"subject": "@category"}, get="category:propose", methods=BOTH),
    Page("category-draft", {"draft": "@draft"}, get="category:propose", methods=BOTH, empty=True),
    Page("category-discard", {"draft": "@draft"}, get="category:propose", methods=POST, empty=True),
    Page("category-retire", {"subject": "@category"}, get="category:propose", methods=POST),
    # ---- messages and suppressions
    Page("messages", get="message:read"),
    Page("messages-find", get="message:read", methods=POST),
    Page("message", {"ref": "@message"}, get="message:read"),
    Page("message-receipt", {"ref": "@message"}, get="message:receipt"),
    Page("suppressions", get="suppression:read"),
    Page("suppressions-find", get="suppression:read", methods=POST),
    Page("suppression-add", get="suppression:add", methods=BOTH),
    Page("suppression-override", get="override:propose", methods=BOTH, empty=True),
    Page("suppressions-import", get="import:propose", methods=BOTH),
    Page("suppressions-export", {"form": "csv"}, get="suppression:export"),
    # ---- recipients and imports
    Page("recipients", get="recipient:read"),
    Page("recipients-find", get="recipient:read", methods=POST),
    Page("recipient", {"ref": "@recipient"}, get="recipient:read"),
    Page("recipient-new", get="recipient:write", methods=BOTH),
    Page("recipient-ask", {"ref": "@recipient"}, get="recipient:write", methods=POST),
    Page("recipient-erase", {"ref": "@recipient"}, get="recipient:erase", methods=BOTH),
    Page("agreements", get="recipient:read"),
    Page("agreement-new", get="recipient:write", methods=BOTH),
    Page("recipients-import", get="import:propose", methods=BOTH, alone="page"),
    Page("recipients-import-sample", get="import:propose"),
    Page("imports", get="import:read", alone="page"),
    Page("import", {"subject": "@import"}, get="import:read"),
    Page("import-left-out", {"subject": "@import"}, get="import:read"),
    Page("import-propose", {"subject": "@import"}, get="import:propose", methods=POST),
    Page("import-drop", {"subject": "@import"}, get="import:propose", methods=POST),
    # ---- domains
    Page("domains", get="domain:read"),
    Page("domain", {"domain": "@domain"}, get="domain:read", leads="choose"),
    Page("domain-new", get="domain:propose", methods=BOTH, fresh=True),
    Page("domain-look", {"domain": "@domain"}, get="domain:look", methods=POST),
    Page("domain-rotate", {"domain": "@domain"}, get="domain:rotate", methods=BOTH, fresh=True),
    Page("domain-rotate-stop", {"domain": "@domain"}, get="domain:rotate", methods=POST),
    Page("reputation", get="reputation:read", alone="page"),
    # ---- privacy
    Page("services", get="service:read"),
    Page("service", {"message": "@service"}, get="service:done", methods=BOTH),
    Page("abuse", get="abuse:read"),
    Page("abuse-report", {"report": "@report"}, get="abuse:close", methods=BOTH),
    # ---- cases
    Page("incidents", get="incident:read", alone="page"),
    Page("incident", {"case": "@incident"}, get="incident:read", alone="page"),
    Page("incident-record", {"case": "@incident"}, get="incident:read", alone="page"),
    Page("incident-step", {"case": "@incident", "name": "note"}, get="incident:act", methods=BOTH, alone="page"),
    Page(
        "incident-paper",
        {"case": "@incident", "paper": "@incident_paper"},
        post="incident:paper",
        methods=POST,
        alone="page",
    ),
    Page("asked-list", get="asking:read", alone="page"),
    Page("asked-one", {"asked": "@session"}, get="asking:read", alone="page", empty=True),
    Page(
        "asked-act", {"asked": "@session", "name": "answer"}, get="asking:act", methods=BOTH, alone="page", empty=True
    ),
    Page("abuse-cases", get="abuse-case:read", alone="page"),
    Page("abuse-case", {"case": "@abuse"}, get="abuse-case:read", alone="page"),
    Page("abuse-case-act", {"case": "@abuse", "name": "confirm"}, get="abuse-case:act", methods=BOTH, alone="page"),
    Page("disclosures", get="disclosure:read", alone="page"),
    Page("disclosure", {"case": "@weakness"}, get="disclosure:read", alone="page"),
    Page("disclosure-act", {"case": "@weakness", "name": "consent"}, get="disclosure:act", methods=BOTH, alone="page"),
    # ---- complaints
    Page("complaints", get="complaint:read", alone="page"),
    Page("complaints-figures", get="complaint:read", alone="page"),
    Page("complaint-reviews", get="complaint-review:read", alone="page"),
    Page("complaint-reviewed", {"review": "@session"}, get="complaint-review:read", alone="page", empty=True),
    Page("complaint-review-figures", {"review": "@session"}, get="complaint-review:read", alone="page", empty=True),
    Page("complaint-review", {"programme": "@session"}, get="complaint:review", methods=BOTH, alone="page", empty=True),
    Page("feedback-loops", get="loop:read", alone="page"),
    Page("provider-figures", get="loop:read", alone="page"),
    Page("feedback-loop-new", get="loop:act", methods=BOTH, fresh=True, alone="page"),
    Page("feedback-loop-end", {"loop": "@session"}, get="loop:act", methods=BOTH, fresh=True, alone="page", empty=True),
    Page("template-flag-clear", {**_T, "flag": "@session"}, post="template-flag:clear", methods=POST),
    # ---- reports of others
    Page("dmarc", get="dmarc:read", alone="page"),
    Page("dmarc-source", {"ip": "192.0.2.1"}, get="dmarc:read", alone="page", empty=True),
    Page("dmarc-reports", get="dmarc:read", alone="page"),
    Page("dmarc-report", {"report": "@session"}, get="dmarc:read", alone="page", empty=True),
    Page("dmarc-records", get="dmarc:read", alone="page"),
    Page("dmarc-reviews", get="dmarc-review:read", alone="page"),
    Page("dmarc-reviewed", {"review": "@session"}, get="dmarc-review:read", alone="page", empty=True),
    Page("dmarc-review", {"programme": "@session"}, get="dmarc:review", methods=BOTH, alone="page", empty=True),
    Page("tls-reports", get="dmarc:read", alone="page"),
    Page("tls-reports-all", get="dmarc:read", alone="page"),
    Page("tls-report", {"report": "@session"}, get="dmarc:read", alone="page", empty=True),
    # ---- promises
    Page("calendar", get="calendar:read", alone="page"),
    Page("calendar-feed", get="calendar:read", alone="page"),
    Page("claims", get="claim:read", alone="page"),
    Page("claim", {"claim": "SUP-3"}, get="claim:read", alone="page"),
    Page("claim-check", {"claim": "SUP-3"}, post="claim:check", methods=POST, alone="page"),
    # ---- letters
    Page("letters", get="letter:list", alone="page"),
    Page("letters-done", post="letter:done", methods=POST, alone="page"),
    Page("letters-all-done", get="letter:list", post="letter:done", methods=BOTH, alone="page"),
    Page("letter", {"letter": "@session"}, get="letter:read", alone="page", empty=True),
    Page("letter-file", {"letter": "@session"}, get="letter:read", alone="page", empty=True),
    # ---- evidence that people handed in
    Page("evidence", get="evidence:read", alone="page"),
    Page("evidence-new", get="evidence:submit", methods=BOTH, alone="page"),
    Page("evidence-piece", {"piece": "@session"}, get="evidence:read", alone="page", empty=True),
    Page("evidence-file", {"piece": "@session"}, get="evidence:read", alone="page", empty=True),
    Page("evidence-accept", {"piece": "@session"}, get="evidence:accept", methods=BOTH, alone="page", empty=True),
    Page("evidence-withdraw", {"piece": "@session"}, get="evidence:withdraw", methods=BOTH, alone="page", empty=True),
    # ---- emergency stops
    Page("limits", get="home:read", alone="page"),
    Page("warm-up", {"route": "relay"}, get="route:propose", methods=BOTH, alone="page"),
    Page("warm-up-end", {"route": "relay"}, get="route:propose", methods=BOTH, alone="page"),
    Page("anomalies", get="home:read", alone="page"),
    Page("anomaly", {"anomaly": "@anomaly"}, get="home:read", alone="page"),
    Page("anomaly-look", {"anomaly": "@anomaly"}, post="release:propose", methods=POST),
    Page("anomaly-decide", {"anomaly": "@anomaly", "way": "lift"}, get="release:propose", methods=BOTH),
    Page("stops", get="home:read", alone="page"),
    Page("stop-start", get="pause:start", methods=BOTH, alone="page"),
    Page("stop-release", {"stop": "@pause"}, get="release:propose", methods=BOTH),
    Page("trust-page", get="trust-page:read", post="trust-page:propose", methods=BOTH),
    Page("designation", get="category:read", post="designation:propose", methods=BOTH),
    # ---- policies
    Page("policies", get="policy:read", alone="page"),
    Page("plan", _FIRM, get="tenant:propose", methods=BOTH, alone="page"),
    Page("policy-edit", {"slug": "=level"}, get="policy:propose", methods=BOTH, alone="page"),
    Page("policy-review", {"slug": "=level"}, get="policy:propose", methods=BOTH, alone="page"),
    Page("policy-simulate", {"slug": "=level"}, post="policy:propose", methods=POST, alone="page"),
    Page("simulation", {"simulation": "@simulation"}, get="policy:read"),
    Page("change-simulate", {"change": "@change"}, post="policy:read", methods=POST, empty=True),
    # ---- changes and drafts
    Page("changes", get="change:read", alone="page"),
    Page("change", {"change": "@change"}, get="change:read", leads="client"),
    Page("change-approve", {"change": "@change"}, get="change:read", methods=POST, also="template:approve"),
    Page("change-close", {"change": "@change"}, get="change:read", methods=POST, also="template:approve"),
    Page("change-comment", {"change": "@change"}, get="change:read", post="change:comment", methods=POST),
    Page("change-ask", {"change": "@change"}, get="change:read", methods=POST, also="template:approve"),
    Page("change-picture", {"change": "@change", "side": "after"}, get="change:read"),
    Page("drafts", get="draft:write", alone="page"),
    Page("draft-discard", {"draft": "@draft"}, get="draft:write", methods=POST, also="template:propose"),
    # ---- webhooks
    Page("webhooks", get="webhook:read"),
    Page("webhook-new", get="webhook:write", methods=BOTH),
    Page("webhook", {"endpoint": "@session"}, get="webhook:read", empty=True),
    Page("webhook-rotate", {"endpoint": "@session"}, get="webhook:write", methods=POST, empty=True),
    Page("webhook-act", {"endpoint": "@session", "name": "stop"}, get="webhook:write", methods=POST, empty=True),
    # ---- records
    Page("records", get="self:read", alone="page"),
    Page("record-changes", get="change-log:read", alone="page"),
    Page("record-change", {"index": "@entry"}, get="change-log:read"),
    Page("record-changes-export", {"form": "csv"}, get="change-log:read", alone="page"),
    Page("record-access", get="access-log:read", alone="page"),
    Page("record-access-find", get="access-log:read", methods=POST, alone="page"),
    Page("record-access-export", {"form": "json"}, get="access-log:read", alone="page"),
    Page("record-requests", get="request-log:read"),
    Page("record-requests-export", {"form": "csv"}, get="request-log:read"),
    # ---- audits: of a programme, for the house
    Page("audits", get="audit:read", alone="page"),
    Page("audit-bundle", {"code": "nothing"}, get="audit:read", alone="page", empty=True),
    Page("audit-receipt", {"code": "nothing", "message": "@session"}, get="audit:read", alone="page", empty=True),
    # ---- API keys
    Page("keys", get="api-key:read"),
    Page("key-new", get="api-key:propose", methods=BOTH, fresh=True),
    Page("key", {"subject": "@key"}, get="api-key:read"),
    Page("key-edit", {"subject": "@key"}, get="api-key:propose", methods=BOTH),
    Page("key-rotate", {"subject": "@key"}, get="api-key:propose", methods=BOTH, fresh=True),
    Page("key-revoke", {"subject": "@key"}, post="version:revoke", methods=POST),
    # ---- the ledger
    Page("ledger", get="ledger:read"),
    Page("ledger-checkpoint", get="ledger:read"),
    Page("ledger-entry", {"index": "@entry"}, get="ledger:read"),
    # ---- people, and reviews of their access
    Page("people", get="person:read", alone="page"),
    Page("people-find", get="person:read", methods=POST, alone="page"),
    Page("people-invite", get="grant:propose", methods=BOTH, fresh=True, alone="page"),
    Page("person", {"account": "@person"}, get="person:read"),
    Page("person-role", {"account": "@person"}, get="grant:propose", methods=POST, fresh=True),
    Page("person-remove", {"account": "@person"}, get="grant:propose", methods=POST),
    Page("person-leaves", {"account": "@person"}, get="leaver:mark", methods=POST),
    Page("person-sessions-end", {"account": "@person"}, get="session:end", methods=POST),
    Page("person-invitation", {"account": "@person"}, get="grant:propose", methods=POST, fresh=True),
    Page("arrival-forget", {"arrival": "@arrival"}, get="grant:propose", methods=POST),
    Page("reviews", get="review:read", alone="page"),
    Page("review-begin", get="review:run", methods=POST, alone="page"),
    Page("review", {"review": "@review"}, get="review:read", empty=True),
    Page("review-confirm", {"review": "@review"}, get="review:decide", methods=POST, empty=True),
    Page(
        "review-revoke",
        {"review": "@review", "kind": "person", "subject": "@person"},
        get="review:decide",
        methods=BOTH,
        empty=True,
    ),
    Page("review-export", {"review": "@review", "form": "csv"}, get="review:read", empty=True),
    Page("sign-on", get="sign-on:read"),
    Page("sign-on-edit", get="sign-on:propose", methods=BOTH, fresh=True),
    Page("sign-on-domain", get="sign-on:propose", methods=POST),
    Page("sign-on-retire", get="sign-on:propose", methods=POST, fresh=True),
    # ---- one's own account
    Page("account", get="self:read"),
    Page("sessions-end", post="self:write", methods=POST),
    Page("session-end", {"session": "@session"}, post="self:write", methods=POST, empty=True),
    Page("password-change", **_MINE, methods=BOTH, fresh=True),
    Page("nudged", post="self:write", methods=POST),
    Page("factor-app", **_MINE, methods=BOTH, fresh=True),
    Page("factor-passkey", **_MINE, methods=BOTH, fresh=True),
    Page("factor-passkey-options", post="self:write", methods=POST, fresh=True),
    Page("factor-codes", **_MINE, methods=BOTH, fresh=True),
    Page("factor-name", {"factor": 999_999}, **_MINE, methods=BOTH, fresh=True, empty=True),
    Page("factor-remove", {"factor": 999_999}, **_MINE, methods=BOTH, fresh=True, empty=True),
    Page("account_logout", post="self:write", methods=POST, leads="out"),
    Page("prove", **_MINE, methods=BOTH),
    # ---- the way in
    Page("account_login", methods=BOTH, kind=OPEN),
    Page("passkey-sign-in", methods=POST, kind=OPEN),
    Page("passkey-options", methods=POST, kind=OPEN),
    Page("mfa_authenticate", methods=BOTH, kind=OPEN),
    Page("sign-on-firm", methods=BOTH, kind=OPEN),
    Page("sign-on-start", _FIRM, methods=BOTH, kind=OPEN),
    Page("sign-on-callback", _FIRM, kind=OPEN),
    Page("sign-on-acs", _FIRM, methods=POST, kind=OPEN),
    Page("sign-on-finish", _FIRM, kind=OPEN),
    Page("sign-on-about-us", _FIRM, kind=OPEN),
    Page("password-ask", methods=BOTH, kind=OPEN),
    Page("password-set", {"secret": "nobody-has-this"}, methods=BOTH, kind=OPEN),
    # ---- what knows no session
    Page("confirm", {"secret": "nobody-has-this"}, methods=BOTH, kind=OUTSIDE),
    Page("recipient-look", kind=OUTSIDE),
    Page("trust-centres", kind=OUTSIDE),
    Page("trust-centre", {"code": "nothing"}, kind=OUTSIDE),
    Page("trust-claim", {"code": "nothing", "claim": "ENC-4"}, kind=OUTSIDE),
    Page("trust-changes", {"code": "nothing"}, kind=OUTSIDE),
    Page("trust-badge", {"code": "nothing"}, kind=OUTSIDE),
    Page("trust-document", {"code": "nothing"}, kind=OUTSIDE),
    Page("trust-papers", kind=OUTSIDE),
    Page("trust-slash", kind=OUTSIDE),
    Page("trust-slash-below", {"rest": "nothing"}, kind=OUTSIDE),
    Page("trust-evidence", {"code": "nothing", "piece": "00000000-0000-0000-0000-000000000007"}, kind=OUTSIDE),
    Page("trust-own", {"code": "nothing", "client": "nobody"}, kind=OUTSIDE),
    Page("trust-look", kind=OUTSIDE),
    Page("report-abuse", methods=BOTH, kind=OUTSIDE),
    Page("security", methods=BOTH, kind=OUTSIDE),
    Page("report-shown", {"token": "nobody-has-this"}, methods=BOTH, kind=OUTSIDE),
    Page("desk-look", kind=OUTSIDE),
    Page("trust-contacts", {"code": "nothing"}, kind=OUTSIDE),
    Page("trust-subprocessors", {"code": "nothing"}, kind=OUTSIDE),
    Page("trust-questions", {"code": "nothing"}, kind=OUTSIDE),
    Page("trust-ask", {"code": "nothing"}, methods=BOTH, kind=OUTSIDE),
    Page("trust-documents", {"code": "nothing"}, methods=BOTH, kind=OUTSIDE),
    Page("asked", {"token": "nobody-has-this"}, methods=BOTH, kind=OUTSIDE),
    Page(
        "asked-document",
        {"token": "nobody-has-this", "piece": "00000000-0000-0000-0000-000000000007"},
        methods=POST,
        kind=OUTSIDE,
    ),
    Page("security-txt", kind=OUTSIDE),
    Page("unsubscribe", {"token": "nobody-has-this"}, methods=BOTH, kind=OUTSIDE, leads="door"),
    Page("own-page", {"token": "nobody-has-this"}, methods=BOTH, kind=OUTSIDE, leads="door"),
    Page("own-report", {"token": "nobody-has-this"}, methods=BOTH, kind=OUTSIDE, leads="door"),
    Page("own-erase", {"token": "nobody-has-this"}, methods=BOTH, kind=OUTSIDE, leads="door"),
    Page("own-copy", {"token": "nobody-has-this"}, methods=POST, kind=OUTSIDE, leads="door"),
    Page("own-all", {"token": "nobody-has-this"}, methods=BOTH, kind=OUTSIDE, leads="door"),
    Page("own-code", {"token": "nobody-has-this"}, methods=BOTH, kind=OUTSIDE, leads="door"),
    Page("letter-look", kind=OUTSIDE, leads="door"),
    Page("healthz", kind=OUTSIDE),
    Page("livez", kind=OUTSIDE),
    Page("asset", {"name": "troth.css"}, kind=OUTSIDE),
)
BY_NAME = {page.name: page for page in PAGES}
