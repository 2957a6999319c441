"""Every page by its name in urls.py, one line each: where it is, and who looks. A page without a line fails the test.

Who adds a page adds its line; a kind of thing that is not in the world yet gets a maker (page_world.py). `Look(path)` may name the
world's things: "/templates/{template}". A list is looked at in more than one state.
"""

from dataclasses import dataclass

MEMBER, STAFF, STAFF_AT, NOBODY, HALF = "member", "staff", "staff at a client", "nobody", "with a password alone"


@dataclass(frozen=True)
class Look:
    """A page that people look at. `who`: an admin of the client, an owner who looks at none or at it, or nobody."""

    path: str
    who: str = MEMBER
    status: int = 200


@dataclass(frozen=True)
class Act:
    """Forms alone: to ask for it otherwise is refused, so there is nothing to look at."""

    path: str
    who: str = MEMBER


@dataclass(frozen=True)
class File:
    """What a browser keeps: no page of ours."""

    path: str
    who: str = MEMBER


@dataclass(frozen=True)
class Way:
    """What leads on to another page of the list."""

    path: str
    who: str = MEMBER


@dataclass(frozen=True)
class Frame:
    """Somebody's mail, in a frame of no powers on a page of ours."""

    path: str
    who: str = MEMBER


@dataclass(frozen=True)
class Elsewhere:
    """Looked at in another test, since it needs a partner on the other side: the file or folder, from the root."""

    test: str


KINDS = ("template", "category", "domain", "api_key", "grant")  # of changes that were approved
type Row = Look | Act | Way | File | Frame | Elsewhere | list[Look]

PAGES: dict[str, Row] = {
    "home": [Look("/"), Look("/", STAFF), Look("/", STAFF_AT)],
    "clients": [Look("/clients", STAFF), Look("/clients?q=nobody", STAFF)],
    "scope": Act("/scope", STAFF),
    "look": Act("/look"),
    # categories
    "categories": [Look("/categories"), Look("/categories?q=nothing-like-it"), Look("/categories", STAFF)],
    "category": Look("/categories/{category}"),
    "category-new": Look("/categories/new"),
    "category-edit": Look("/categories/{category}/edit"),
    "category-draft": Look("/categories/drafts/{category_draft}"),
    "category-discard": Act("/categories/drafts/{category_draft}/discard"),
    "category-retire": Act("/categories/{category}/retire"),
    # templates
    "templates": [Look("/templates"), Look("/templates?q=nothing-like-it"), Look("/templates", STAFF)],
    "template": Look("/templates/{template}"),
    "template-version": Look("/templates/{template}/versions/1"),
    "template-preview": Frame("/templates/{template}/versions/1/preview"),
    "template-new": [Look("/templates/new"), Look("/templates/new", STAFF)],
    "template-look": Frame("/templates/preview"),
    "template-panel": Act("/templates/panel"),
    "template-drafts": Look("/templates/drafts"),
    "template-draft": Look("/templates/drafts/{draft}"),
    "template-discard": Act("/templates/drafts/{draft}/discard"),
    "template-compare": Look("/templates/{template}/compare"),
    "template-retire": Act("/templates/{template}/retire"),
    "template-restore": Act("/templates/{template}/versions/1/draft"),
    "template-test": Act("/templates/{template}/versions/1/test"),
    "template-stop": Act("/templates/{template}/versions/1/stop"),
    # policies
    "policies": [Look("/policies"), Look("/policies", STAFF), Look("/policies", STAFF_AT)],
    "plan": Look("/policies/plans/{other}", STAFF),
    "policy-edit": [Look("/policies/client/edit"), Look("/policies/operator/edit", STAFF)],
    "policy-review": Look("/policies/client/review"),
    "policy-simulate": Act("/policies/client/simulate"),
    "simulation": [Look(f"/simulations/{{simulation_{state}}}") for state in ("moving", "much", "nothing", "failed")],
    "change-simulate": Act("/changes/{change}/simulate"),
    # reports of others
    **dict.fromkeys(
        (
            "dmarc",
            "dmarc-source",
            "dmarc-reports",
            "dmarc-report",
            "dmarc-reviews",
            "dmarc-reviewed",
            "dmarc-review",
            "tls-reports",
            "tls-reports-all",
            "tls-report",
        ),
        Elsewhere("tests/browser/test_dmarc_review.py"),
    ),
    "dmarc-records": File("/dmarc/records.csv"),
    # the trend of complaints
    "complaints": [Look("/complaints"), Look("/complaints", STAFF), Look("/complaints", STAFF_AT)],
    "complaints-figures": File("/complaints.csv"),
    **dict.fromkeys(
        ("complaint-reviews", "complaint-reviewed", "complaint-review", "complaint-review-figures"),
        Elsewhere("tests/browser/test_complaint_trend.py"),
    ),
    # API keys
    "keys": [Look("/keys"), Look("/keys", STAFF)],
    "key-new": Look("/keys/new"),
    "key": Look("/keys/{key}"),
    "key-edit": Look("/keys/{key}/edit"),
    "key-rotate": Look("/keys/{key}/rotate"),
    "key-revoke": Act("/keys/{key}/revoke"),
    # the two individuals of a building firm
    "designation": [Look("/designation"), Look("/designation", STAFF), Look("/designation", STAFF_AT)],
    "trust-page": [Look("/trust-page"), Look("/trust-page", STAFF), Look("/trust-page", STAFF_AT)],
    # people, and reviews of who has access
    "people": [Look("/people"), Look("/people", STAFF), Look("/people", STAFF_AT)],
    "people-find": Act("/people/find"),
    "people-invite": [Look("/people/invite"), Look("/people/invite", STAFF)],
    "person": Look("/people/{person}"),
    "person-role": Act("/people/{person}/role"),
    "person-remove": Act("/people/{person}/remove"),
    "person-leaves": Act("/people/{person}/leaves"),
    "person-sessions-end": Act("/people/{person}/sessions/end"),
    "person-invitation": Act("/people/{person}/invitation"),
    "arrival-forget": Act("/people/arrivals/{nothing}/forget"),
    "reviews": [Look("/reviews"), Look("/reviews", STAFF)],
    "review-begin": Act("/reviews/begin"),
    "review": Look("/reviews/{review}"),
    "review-confirm": Act("/reviews/{review}/confirm"),
    "review-revoke": Look("/reviews/{review}/revoke/person/{colleague}"),
    "review-export": File("/reviews/{review}/export.csv"),
    # changes
    "changes": [Look("/changes"), Look("/changes", STAFF), Look("/changes", STAFF_AT)],
    "change": [
        Look("/changes/{change}"),
        Look("/changes/{change}", STAFF_AT),
        Look("/changes/{long_change}"),
        *(Look(f"/changes/{{approved_{kind}}}") for kind in KINDS),
    ],
    "change-approve": Act("/changes/{change}/approve"),
    "change-close": Act("/changes/{change}/close"),
    "change-comment": Act("/changes/{change}/comment"),
    "change-ask": Act("/changes/{change}/ask"),
    "change-picture": Frame("/changes/{change}/picture/after"),
    # privacy
    "services": [Look("/services"), Look("/services", STAFF_AT)],
    "service": Look("/services/{service}"),
    "abuse": Look("/abuse", STAFF_AT),
    "abuse-report": Look("/abuse/{report}", STAFF_AT),
    "abuse-cases": Look("/abuse/cases", STAFF),
    "disclosures": Look("/disclosures", STAFF),
    **dict.fromkeys(
        ("abuse-case", "abuse-case-act", "disclosure", "disclosure-act"), Elsewhere("tests/browser/test_desks.py")
    ),
    # what is promised
    "trust-centres": Look("/trust", NOBODY),
    "trust-centre": [Look("/trust/p-firm", NOBODY), Look("/trust/nothing", NOBODY, 404)],
    "trust-claim": [Look("/trust/p-firm/claims/ENC-4", NOBODY), Look("/trust/p-firm/claims/none", NOBODY, 404)],
    "trust-changes": File("/trust/p-firm/changes.atom", NOBODY),
    "trust-badge": File("/trust/p-firm/badge.svg", NOBODY),
    "trust-document": File("/trust/p-firm/trust.json", NOBODY),
    "trust-papers": File("/trust.json", NOBODY),
    **dict.fromkeys(("trust-slash", "trust-slash-below"), Elsewhere("tests/control/centre/test_page.py")),
    "trust-evidence": Look("/trust/p-firm/evidence/{nothing}", NOBODY, 404),
    "trust-own": Look("/trust/p-firm/of/firm", NOBODY, 404),  # shown: tests/browser/test_own_trust.py
    "trust-look": File("/look/trust.css", NOBODY),
    "asked-list": [Look("/desk/questions", STAFF), Look("/desk/questions?state=all", STAFF)],
    **dict.fromkeys(("asked-one", "asked-act", "asked", "asked-document"), Elsewhere("tests/browser/test_asking.py")),
    "trust-contacts": Look("/trust/p-firm/contacts", NOBODY),
    "trust-subprocessors": Look("/trust/p-firm/subprocessors", NOBODY),
    "trust-questions": Look("/trust/p-firm/questions", NOBODY),
    "trust-ask": Look("/trust/p-firm/ask", NOBODY),
    "trust-documents": Look("/trust/p-firm/documents", NOBODY),
    "report-abuse": Look("/report-abuse", NOBODY),
    "security": Look("/security", NOBODY),
    "report-shown": Look("/report/nothing", NOBODY, 404),
    "desk-look": File("/look/desks.css", NOBODY),
    "security-txt": File("/.well-known/security.txt", NOBODY),
    # cases
    "incidents": [Look("/incidents"), Look("/incidents", STAFF), Look("/incidents?q=none", STAFF)],
    "incident": [Look("/incidents/{incident}"), Look("/incidents/{incident}", STAFF)],
    "incident-step": [Look(f"/incidents/{{incident}}/{step}", STAFF) for step in ("note", "resolve", "assign")],
    "incident-record": File("/incidents/{incident}/record.json"),
    "incident-paper": Act("/incidents/{incident}/papers/{incident}", STAFF),
    "limits": [Look("/limits"), Look("/limits", STAFF), Look("/limits", STAFF_AT)],
    "warm-up": [Look("/limits/warm-up/relay", STAFF), Look("/limits/warm-up/{route}", STAFF)],
    "warm-up-end": Look("/limits/warm-up/{route}/end", STAFF),
    "anomalies": [Look("/anomalies"), Look("/anomalies", STAFF), Look("/anomalies", STAFF_AT)],
    "anomaly": [Look("/anomalies/{anomaly}"), Look("/anomalies/{anomaly}", STAFF)],
    "anomaly-look": Act("/anomalies/{anomaly}/look"),
    "anomaly-decide": [
        Look("/anomalies/{anomaly}/release-all"),
        Look("/anomalies/{anomaly}/refuse?template={template}"),
        Look("/anomalies/{anomaly}/release?chosen=1", status=422),
    ],
    "stops": [Look("/stops"), Look("/stops", STAFF)],
    "stop-start": [Look("/stops/start"), Look("/stops/start", STAFF)],
    "stop-release": Look("/stops/{stop}/release"),
    "drafts": Look("/drafts"),
    "draft-discard": Act("/drafts/{draft}/discard"),
    # webhooks
    "webhooks": [Look("/webhooks"), Look("/webhooks", STAFF)],
    "webhook-new": Look("/webhooks/new"),
    "webhook": Look("/webhooks/{webhook}"),
    "webhook-rotate": Act("/webhooks/{webhook}/rotate"),
    "webhook-act": Act("/webhooks/{webhook}/test"),
    # evidence that people handed in
    "calendar": [Look("/calendar", STAFF), Look("/calendar?owner=compliance&claim=INF-9", STAFF)],
    "calendar-feed": File("/calendar.ics", STAFF),
    "evidence": [Look("/evidence", STAFF), Look("/evidence?q=nothing-like-it", STAFF)],
    "evidence-new": Look("/evidence/new", STAFF),
    "evidence-piece": Look("/evidence/{evidence}", STAFF),
    "evidence-file": File("/evidence/{evidence}/file", STAFF),
    "evidence-accept": Look("/evidence/{evidence}/accept", STAFF),
    "evidence-withdraw": Look("/evidence/{evidence}/withdraw", STAFF),
    # promises
    "claims": [
        Look("/claims", STAFF),
        Look("/claims?state=fails&section=email&q=nothing-like-it", STAFF),
        Look("/claims", STAFF_AT),
    ],
    "claim": [Look("/claims/SUP-3", STAFF), Look("/claims/ENC-1", STAFF)],
    "claim-check": Act("/claims/SUP-3/check", STAFF),
    # letters
    "letters": [
        Look("/letters", STAFF),
        Look("/letters?state=done&day=2020-01-01", STAFF),
        Look("/letters?desk=bounce&reason=forged", STAFF),
    ],
    # complaints
    "feedback-loops": Look("/feedback-loops", STAFF),
    "provider-figures": Look("/feedback-loops/providers", STAFF),
    "feedback-loop-new": Look("/feedback-loops/new", STAFF),
    "feedback-loop-end": Look("/feedback-loops/{loop}/end", STAFF),
    "template-flag-clear": Elsewhere("tests/control/complaints/test_loops_pages.py"),
    "letters-done": Act("/letters/done", STAFF),
    "letters-all-done": Look("/letters/all-done?desk=bounce&reason=forged", STAFF),
    "letter": Look("/letters/{letter}", STAFF),
    "letter-file": File("/letters/{letter}.eml", STAFF),
    # audits
    "audits": [
        Look("/audits", STAFF),
        Look("/audits?programme=p-firm", STAFF),
        Look("/audits?programme=p-firm&from=2999-01-01", STAFF, 422),
    ],
    "audit-bundle": File("/audits/p-firm/bundle.zip?from=2020-01-01&to=2020-01-02", STAFF),
    "audit-receipt": Look("/audits/p-firm/receipts/{nothing}.json", STAFF, 404),
    # records
    "records": Way("/records"),
    "record-changes": [Look("/records/changes"), Look("/records/changes", STAFF)],
    "record-change": Look("/records/changes/{governed}"),
    "record-changes-export": File("/records/changes/export.csv"),
    "record-access": [Look("/records/access"), Look("/records/access", STAFF)],
    "record-access-find": Act("/records/access/find"),
    "record-access-export": File("/records/access/export.csv"),
    "record-requests": Look("/records/requests"),
    "record-requests-export": File("/records/requests/export.json"),
    # how a client's people sign on
    "sign-on": [Look("/sign-on"), Look("/sign-on", STAFF)],
    "sign-on-edit": Look("/sign-on/edit"),
    "sign-on-domain": Act("/sign-on/domain"),
    "sign-on-retire": Act("/sign-on/retire"),
    # messages and suppressions
    "messages": [Look("/messages"), Look("/messages?state=bounced"), Look("/messages?state=nothing", status=422)],
    "messages-find": Act("/messages/find"),
    "message": Look("/messages/{message}"),
    "message-receipt": File("/messages/{message}/receipt"),
    "suppressions": [Look("/suppressions"), Look("/suppressions?reason=complaint"), Look("/suppressions", STAFF)],
    "suppressions-find": Act("/suppressions/find"),
    "suppression-add": Look("/suppressions/add"),
    "suppressions-import": Look("/suppressions/import"),
    "suppression-override": Look("/suppressions/override?who={who}"),
    "suppressions-export": File("/suppressions/export.csv"),
    # domains
    "domains": Look("/domains"),
    "domain": Look("/domains/{domain}"),
    "domain-new": Look("/domains/new"),
    "domain-look": Act("/domains/{domain}/look"),
    "domain-rotate": Elsewhere("tests/browser/test_domains.py"),
    "domain-rotate-stop": Act("/domains/{domain}/rotate/stop"),
    "reputation": [Look("/domains/reputation"), Look("/domains/reputation", STAFF)],
    # recipients, and files of them
    "recipients": [Look("/recipients"), Look("/recipients?state=erased"), Look("/recipients", STAFF)],
    "recipients-find": Act("/recipients/find"),
    "recipient": Look("/recipients/{recipient}"),
    "recipient-new": Look("/recipients/new"),
    "recipient-ask": Act("/recipients/{recipient}/ask"),
    "recipient-erase": Look("/recipients/{recipient}/erase"),
    "agreements": Look("/recipients/agreements"),
    "agreement-new": Look("/recipients/agreements/new"),
    "recipients-import": [Look("/recipients/import"), Look("/recipients/import", STAFF)],
    "imports": [Look("/imports"), Look("/imports", STAFF)],
    "import": [Look(f"/imports/{{import_{state}}}") for state in ("new", "checked", "broken", "moving", "done")],
    "import-left-out": File("/imports/{import_checked}/left-out.csv"),
    "recipients-import-sample": File("/recipients/import/sample.csv"),
    "import-propose": Act("/imports/{import_checked}/propose"),
    "import-drop": Act("/imports/{import_checked}/drop"),
    # the ledger
    "ledger": [Look("/ledger"), Look("/ledger?seals=with", STAFF)],
    "ledger-checkpoint": File("/ledger/checkpoint"),
    "ledger-entry": Look("/ledger/entries/{entry}"),
    # one's own account
    "account": Look("/account"),
    "sessions-end": Act("/account/sessions/end"),
    "session-end": Act("/account/sessions/{nothing}/end"),
    "password-change": Look("/account/password"),
    "nudged": Act("/account/not-now"),
    "factor-app": Look("/account/factors/app"),
    "factor-passkey": Look("/account/factors/passkey"),
    "factor-passkey-options": Act("/account/factors/passkey/options"),
    "factor-codes": Look("/account/factors/codes"),
    "factor-name": Look("/account/factors/{factor}/name"),
    "factor-remove": Look("/account/factors/{factor}/remove"),
    "prove": Look("/prove?next=/account"),
    "account_logout": Act("/sign-out"),
    # the way in
    "account_login": Look("/sign-in", NOBODY),
    "passkey-sign-in": Act("/sign-in/passkey", NOBODY),
    "passkey-options": Act("/passkey/options", NOBODY),
    "mfa_authenticate": Look("/second-factor", HALF),
    "sign-on-firm": Look("/sign-in/firm", NOBODY),
    "sign-on-start": Elsewhere("tests/control/people/sign_on"),
    "sign-on-callback": Elsewhere("tests/control/people/sign_on"),
    "sign-on-acs": Elsewhere("tests/control/people/sign_on"),
    "sign-on-finish": Elsewhere("tests/control/people/sign_on"),
    "sign-on-about-us": Elsewhere("tests/control/people/sign_on"),
    "password-ask": Look("/password", NOBODY),
    "password-set": [Look("{password}", NOBODY), Look("/password/used", NOBODY, 404)],
    # for recipients
    "confirm": [Look("{confirm}", NOBODY), Look("{confirm_code}", NOBODY), Look("/confirm/nothing", NOBODY, 404)],
    "recipient-look": File("/look/recipient.css", NOBODY),
    "unsubscribe": Elsewhere("tests/control/recipients/test_pages.py"),
    **dict.fromkeys(
        ("own-page", "own-report", "own-erase", "own-copy", "own-all", "own-code"),
        Elsewhere("tests/browser/test_own.py"),
    ),
    "letter-look": Elsewhere("tests/control/recipients/test_pages.py"),
    "healthz": File("/healthz", NOBODY),
    "livez": File("/livez", NOBODY),
    "asset": File("/static/none.css", NOBODY),
}
