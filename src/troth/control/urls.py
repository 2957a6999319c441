"""Every page of the control plane by its path. A page that is not open in web/middleware.py needs a sign-in."""

from allauth.account import views as allauth  # type: ignore[import-untyped]  # allauth ships no types
from django.urls import path

from troth.control.abuse import outside, shown, well_known
from troth.control.abuse import public as desks
from troth.control.abuse import views as desk_views
from troth.control.access import acts as access_acts
from troth.control.access import inviting, review_export, review_views
from troth.control.access import views as access
from troth.control.access.proving import Proofs
from troth.control.access.sign_on import views as access_sign_on
from troth.control.apikeys import views as apikeys
from troth.control.approvals import acts as change_acts
from troth.control.approvals import drafting as change_drafts
from troth.control.approvals import views as changes
from troth.control.asking import confirming as asking_confirming
from troth.control.asking import public as asking_public
from troth.control.asking import views as asking
from troth.control.audits import views as audits
from troth.control.calendar import views as calendar
from troth.control.categories import views as categories
from troth.control.centre import answers as centre_answers
from troth.control.centre import choosing as centre_choosing
from troth.control.centre import feed as centre_feed
from troth.control.centre import files as centre_files
from troth.control.centre import own as centre_own
from troth.control.centre import views as centre
from troth.control.complaints import loops_views, monthly_views, postmaster_views, trend_views
from troth.control.designation import views as designation
from troth.control.domains import adding as adding_domains
from troth.control.domains import reputations
from troth.control.domains import views as domains
from troth.control.evidence import deciding as evidence_acts
from troth.control.evidence import views as evidence
from troth.control.imports import views as imports
from troth.control.incidents import views as incidents
from troth.control.ledger import proof, receipts
from troth.control.ledger import views as ledger
from troth.control.letters import views as letters
from troth.control.limits import anomaly_views as anomalies
from troth.control.limits import views as limits
from troth.control.limits import warm_up_views as warm_ups
from troth.control.messages import views as messages
from troth.control.messages.evidence import Evidence
from troth.control.people import account, nudging, passwords
from troth.control.people.factors import enrolling, showing
from troth.control.people.sign_on import views as sign_on
from troth.control.policies import views as policies
from troth.control.privacy import views as privacy
from troth.control.recipients import agreements, passing, registering
from troth.control.recipients import pages as recipient_pages
from troth.control.recipients import views as recipients
from troth.control.recipients.importing import RECIPIENTS
from troth.control.records import views as records
from troth.control.reports import review_views as dmarc_reviews
from troth.control.reports import views as reports
from troth.control.simulator import views as simulator
from troth.control.stops import views as stops
from troth.control.suppressions import acts as suppression_acts
from troth.control.suppressions import taking as suppression_export
from troth.control.suppressions import views as suppressions
from troth.control.suppressions.importing import SUPPRESSIONS
from troth.control.templates import acts as template_acts
from troth.control.templates import drafting, flags, looking
from troth.control.templates import views as templates
from troth.control.trust import catalogue
from troth.control.trust import views as claims
from troth.control.web import assets, health, home, views
from troth.control.webhooks import views as webhooks

# what the ledger knows of a message; the two rooms are neighbours and meet here
_EVIDENCE = {"evidence": Evidence(proof.newest, proof.event_proofs, receipts.of_page, receipts.NoReceipt)}


_IMPORTERS = {"importers": {each.kind: each for each in (RECIPIENTS, SUPPRESSIONS)}}


def _says(claim: str, profile: str) -> str:
    """What a programme of this profile promises by a claim, "" where it does not: the trust centre's own sentence."""
    found = catalogue.claim(claim)
    if found is None or not found.promised_by(profile):
        return ""
    return found.shipped(profile).rstrip(".")


_SAYS = {"says": _says}
_PROOFS = {"proofs": Proofs(proof.newest, proof.inclusion)}

urlpatterns = [
    path("", home.home, name="home"),
    path("clients", views.clients, name="clients"),
    path("scope", views.scope, name="scope"),
    path("look", views.look, name="look"),
    path("dmarc", reports.listed, name="dmarc"),
    path("dmarc/sources/<str:ip>", reports.source, name="dmarc-source"),
    path("dmarc/reports", reports.reports, name="dmarc-reports"),
    path("dmarc/reports/<uuid:report>", reports.report, name="dmarc-report"),
    path("dmarc/records.csv", reports.figures, name="dmarc-records"),
    path("dmarc/reviews", dmarc_reviews.listed, name="dmarc-reviews"),
    path("dmarc/reviews/<uuid:review>", dmarc_reviews.seen, name="dmarc-reviewed"),
    path("dmarc/review/<uuid:programme>", dmarc_reviews.review, name="dmarc-review"),
    path("tls-reports", reports.tls, name="tls-reports"),
    path("tls-reports/all", reports.tls_reports, name="tls-reports-all"),
    path("tls-reports/<uuid:report>", reports.tls_report, name="tls-report"),
    path("categories", categories.listed, name="categories"),
    path("categories/new", categories.new, name="category-new"),
    path("categories/drafts/<uuid:draft>", categories.draft, name="category-draft"),
    path("categories/drafts/<uuid:draft>/discard", categories.discard, name="category-discard"),
    path("categories/<uuid:subject>", categories.detail, name="category"),
    path("categories/<uuid:subject>/edit", categories.edit, name="category-edit"),
    path("categories/<uuid:subject>/retire", categories.retire, name="category-retire"),
    path("templates", templates.listed, name="templates"),
    path("templates/new", drafting.new, name="template-new"),
    path("templates/preview", looking.framed, name="template-look"),
    path("templates/panel", looking.panel, name="template-panel"),
    path("templates/drafts", drafting.listed, name="template-drafts"),
    path("templates/drafts/<uuid:draft>", drafting.draft, name="template-draft"),
    path("templates/drafts/<uuid:draft>/discard", drafting.discard, name="template-discard"),
    path("templates/<uuid:subject>/compare", template_acts.compare, name="template-compare"),
    path("templates/<uuid:subject>/retire", template_acts.retire, name="template-retire"),
    path("templates/<uuid:subject>/versions/<int:number>/draft", drafting.restore, name="template-restore"),
    path("templates/<uuid:subject>/versions/<int:number>/test", template_acts.test, name="template-test"),
    path("templates/<uuid:subject>/versions/<int:number>/stop", template_acts.stop, name="template-stop"),
    path("templates/<uuid:subject>", templates.detail, name="template"),
    path("templates/<uuid:subject>/versions/<int:number>", templates.detail, name="template-version"),
    path("templates/<uuid:subject>/versions/<int:number>/preview", templates.framed, name="template-preview"),
    # what waits for a second person, and what was decided
    path("changes", changes.listed, name="changes"),
    path("changes/<uuid:change>", changes.detail, {"beside": simulator.beside}, name="change"),
    path("changes/<uuid:change>/simulate", simulator.of_change, name="change-simulate"),
    path("simulations/<uuid:simulation>", simulator.one, name="simulation"),
    path("changes/<uuid:change>/approve", inviting.after(change_acts.approve), name="change-approve"),
    path("changes/<uuid:change>/close", change_acts.close, name="change-close"),
    path("changes/<uuid:change>/comment", change_acts.comment, name="change-comment"),
    path("changes/<uuid:change>/ask", change_acts.ask, name="change-ask"),
    path("changes/<uuid:change>/picture/<str:side>", changes.picture, name="change-picture"),
    path("drafts", change_drafts.listed, name="drafts"),
    path("drafts/<uuid:draft>/discard", change_drafts.discard, name="draft-discard"),
    # what came back and needs a person
    path("complaints", trend_views.shown, name="complaints"),
    path("complaints.csv", trend_views.figures, name="complaints-figures"),
    path("complaints/reviews", monthly_views.listed, name="complaint-reviews"),
    path("complaints/reviews/<uuid:review>", monthly_views.seen, name="complaint-reviewed"),
    path("complaints/reviews/<uuid:review>.csv", monthly_views.figures, name="complaint-review-figures"),
    path("complaints/review/<uuid:programme>", monthly_views.review, name="complaint-review"),
    path("feedback-loops", loops_views.listed, name="feedback-loops"),
    path("feedback-loops/providers", postmaster_views.shown, name="provider-figures"),
    path("feedback-loops/new", loops_views.new, name="feedback-loop-new"),
    path("feedback-loops/<uuid:loop>/end", loops_views.ended, name="feedback-loop-end"),
    path("templates/<uuid:subject>/flags/<uuid:flag>", flags.clear, name="template-flag-clear"),
    path("letters", letters.listed, name="letters"),
    path("letters/done", letters.done, name="letters-done"),
    path("letters/all-done", letters.all_done, name="letters-all-done"),
    path("letters/<uuid:letter>", letters.detail, name="letter"),
    path("letters/<uuid:letter>.eml", letters.taken, name="letter-file"),
    path("incidents", incidents.listed, name="incidents"),
    path("incidents/<uuid:case>", incidents.detail, name="incident"),
    path("incidents/<uuid:case>/record.json", incidents.record_json, name="incident-record"),
    path("incidents/<uuid:case>/papers/<uuid:paper>", incidents.paper, name="incident-paper"),
    path("incidents/<uuid:case>/<str:name>", incidents.step, name="incident-step"),
    path("evidence", evidence.listed, name="evidence"),
    path("evidence/new", evidence.new, name="evidence-new"),
    path("evidence/<uuid:piece>", evidence.detail, name="evidence-piece"),
    path("evidence/<uuid:piece>/file", evidence.taken, name="evidence-file"),
    path("evidence/<uuid:piece>/accept", evidence_acts.accept, name="evidence-accept"),
    path("evidence/<uuid:piece>/withdraw", evidence_acts.withdraw, name="evidence-withdraw"),
    path("policies", policies.shown, _SAYS, name="policies"),
    path("policies/plans/<uuid:tenant>", policies.plan, name="plan"),
    path("policies/<str:slug>/edit", policies.edit, _SAYS, name="policy-edit"),
    path("policies/<str:slug>/review", policies.review, _SAYS, name="policy-review"),
    path("policies/<str:slug>/simulate", policies.simulate, _SAYS, name="policy-simulate"),
    path("webhooks", webhooks.listed, name="webhooks"),
    path("webhooks/new", webhooks.new, name="webhook-new"),
    path("webhooks/<uuid:endpoint>", webhooks.detail, name="webhook"),
    path("webhooks/<uuid:endpoint>/rotate", webhooks.rotate, name="webhook-rotate"),
    path("webhooks/<uuid:endpoint>/<str:name>", webhooks.act, name="webhook-act"),
    path("keys", apikeys.listed, name="keys"),
    path("keys/new", apikeys.new, name="key-new"),
    path("keys/<uuid:subject>", apikeys.detail, name="key"),
    path("keys/<uuid:subject>/edit", apikeys.edit, name="key-edit"),
    path("keys/<uuid:subject>/rotate", apikeys.rotate, name="key-rotate"),
    path("keys/<uuid:subject>/revoke", apikeys.revoke, name="key-revoke"),
    path("messages", messages.listed, name="messages"),
    path("messages/find", messages.find, name="messages-find"),
    path("messages/<str:ref>", messages.detail, _EVIDENCE, name="message"),
    path("messages/<str:ref>/receipt", messages.receipt, _EVIDENCE, name="message-receipt"),
    path("suppressions", suppressions.listed, name="suppressions"),
    path("suppressions/find", suppressions.find, name="suppressions-find"),
    path("suppressions/add", suppression_acts.add, name="suppression-add"),
    path("suppressions/override", suppression_acts.override, name="suppression-override"),
    path("suppressions/export.<str:form>", suppression_export.export, name="suppressions-export"),
    path("recipients", recipient_pages.listed, name="recipients"),
    path("recipients/find", recipient_pages.find, name="recipients-find"),
    path("recipients/new", registering.new, name="recipient-new"),
    path("recipients/agreements", agreements.listed, name="agreements"),
    path("recipients/agreements/new", agreements.new, name="agreement-new"),
    path("recipients/import", imports.new, {"importer": RECIPIENTS}, name="recipients-import"),
    path("recipients/import/sample.csv", imports.sample, {"importer": RECIPIENTS}, name="recipients-import-sample"),
    path("suppressions/import", imports.new, {"importer": SUPPRESSIONS}, name="suppressions-import"),
    path("recipients/<str:ref>", recipient_pages.detail, name="recipient"),
    path("recipients/<str:ref>/ask", registering.again, name="recipient-ask"),
    path("recipients/<str:ref>/erase", recipient_pages.erase, name="recipient-erase"),
    path("imports", imports.listed, _IMPORTERS, name="imports"),
    path("imports/<uuid:subject>", imports.shown, _IMPORTERS, name="import"),
    path("imports/<uuid:subject>/left-out.csv", imports.faults_file, name="import-left-out"),
    path("imports/<uuid:subject>/propose", imports.propose, _IMPORTERS, name="import-propose"),
    path("imports/<uuid:subject>/drop", imports.drop, _IMPORTERS, name="import-drop"),
    path("designation", designation.designation, name="designation"),
    path("services", privacy.services, name="services"),
    path("services/<uuid:message>", privacy.service, name="service"),
    path("abuse", privacy.reports, name="abuse"),
    path("abuse/<uuid:report>", privacy.report, name="abuse-report"),
    path("abuse/cases", desk_views.abuse_cases, name="abuse-cases"),
    path("abuse/cases/<uuid:case>", desk_views.abuse_case, name="abuse-case"),
    path("abuse/cases/<uuid:case>/<str:name>", desk_views.abuse_case_act, name="abuse-case-act"),
    path("desk/questions", asking.listed, name="asked-list"),
    path("desk/questions/<uuid:asked>", asking.detail, name="asked-one"),
    path("desk/questions/<uuid:asked>/<str:name>", asking.act, name="asked-act"),
    path("disclosures", desk_views.disclosures, name="disclosures"),
    path("disclosures/<uuid:case>", desk_views.disclosure, name="disclosure"),
    path("disclosures/<uuid:case>/<str:name>", desk_views.disclosure_act, name="disclosure-act"),
    path("limits", limits.limits, name="limits"),
    path("limits/warm-up/<str:route>", warm_ups.propose, name="warm-up"),
    path("limits/warm-up/<str:route>/end", warm_ups.end, name="warm-up-end"),
    path("anomalies", anomalies.listed, name="anomalies"),
    path("anomalies/<uuid:anomaly>", anomalies.detail, name="anomaly"),
    path("anomalies/<uuid:anomaly>/look", anomalies.look, name="anomaly-look"),
    path("anomalies/<uuid:anomaly>/<str:way>", anomalies.decide, name="anomaly-decide"),
    path("stops", stops.listed, name="stops"),
    path("stops/start", stops.start, name="stop-start"),
    path("stops/<uuid:stop>/release", stops.release, name="stop-release"),
    path("domains", domains.listed, name="domains"),
    path("domains/new", adding_domains.new, name="domain-new"),
    path("domains/reputation", reputations.listed, name="reputation"),
    path("domains/<uuid:domain>", domains.detail, name="domain"),
    path("domains/<uuid:domain>/look", domains.look, name="domain-look"),
    path("domains/<uuid:domain>/rotate", adding_domains.rotate, name="domain-rotate"),
    path("domains/<uuid:domain>/rotate/stop", adding_domains.stop, name="domain-rotate-stop"),
    path("trust-page", centre_choosing.chosen, name="trust-page"),
    path("calendar", calendar.listed, name="calendar"),
    path("calendar.ics", calendar.feed, name="calendar-feed"),
    path("claims", claims.listed, name="claims"),
    path("claims/<str:claim>", claims.one, name="claim"),
    path("claims/<str:claim>/check", claims.check, name="claim-check"),
    path("ledger", ledger.ledger, name="ledger"),
    path("ledger/checkpoint", ledger.checkpoint, name="ledger-checkpoint"),
    path("ledger/entries/<int:index>", ledger.entry, name="ledger-entry"),
    # people with access, and the reviews of it
    path("people", access.listed, name="people"),
    path("people/find", access.find, name="people-find"),
    path("people/invite", access.invite, name="people-invite"),
    path("people/<uuid:account>", access.detail, name="person"),
    path("people/<uuid:account>/role", access_acts.role, name="person-role"),
    path("people/<uuid:account>/remove", access_acts.remove, name="person-remove"),
    path("people/<uuid:account>/leaves", access_acts.leaves, name="person-leaves"),
    path("people/<uuid:account>/sessions/end", access_acts.sessions, name="person-sessions-end"),
    path("people/<uuid:account>/invitation", access_acts.invitation, name="person-invitation"),
    path("people/arrivals/<uuid:arrival>/forget", access_acts.forget, name="arrival-forget"),
    path("reviews", review_views.listed, name="reviews"),
    path("reviews/begin", review_views.begin, name="review-begin"),
    path("reviews/<uuid:review>", review_views.detail, name="review"),
    path("reviews/<uuid:review>/confirm", review_views.confirm, name="review-confirm"),
    path("reviews/<uuid:review>/revoke/<str:kind>/<uuid:subject>", review_views.revoke, name="review-revoke"),
    path("reviews/<uuid:review>/export.<str:form>", review_export.export, _PROOFS, name="review-export"),
    # the records
    path("audits", audits.shown, name="audits"),
    path("audits/<slug:code>/bundle.zip", audits.bundle, name="audit-bundle"),
    path("audits/<slug:code>/receipts/<uuid:message>.json", audits.receipt, name="audit-receipt"),
    path("records", records.index, name="records"),
    path("records/changes", records.changed, name="record-changes"),
    path("records/changes/<int:index>", records.change, name="record-change"),
    path("records/changes/export.<str:form>", records.export_changes, name="record-changes-export"),
    path("records/access", records.accessed, name="record-access"),
    path("records/access/find", records.find, name="record-access-find"),
    path("records/access/export.<str:form>", records.export_access, name="record-access-export"),
    path("records/requests", records.requested, name="record-requests"),
    path("records/requests/export.<str:form>", records.export_requests, name="record-requests-export"),
    # one's own account
    path("account", account.account, name="account"),
    path("account/sessions/end", account.end_others, name="sessions-end"),
    path("account/sessions/<uuid:session>/end", account.end_one, name="session-end"),
    path("account/password", account.password, name="password-change"),
    path("account/not-now", nudging.nudged, name="nudged"),
    path("account/factors/app", enrolling.add_app, name="factor-app"),
    path("account/factors/passkey", enrolling.add_passkey, name="factor-passkey"),
    path("account/factors/passkey/options", enrolling.passkey_options, name="factor-passkey-options"),
    path("account/factors/codes", enrolling.new_codes, name="factor-codes"),
    path("account/factors/<int:factor>/name", enrolling.rename, name="factor-name"),
    path("account/factors/<int:factor>/remove", enrolling.remove, name="factor-remove"),
    path("sign-on", access_sign_on.shown, name="sign-on"),
    path("sign-on/edit", access_sign_on.edit, name="sign-on-edit"),
    path("sign-on/domain", access_sign_on.check, name="sign-on-domain"),
    path("sign-on/retire", access_sign_on.retire, name="sign-on-retire"),
    # the way in
    path("sign-in", allauth.login, name="account_login"),
    path("sign-in/passkey", showing.passkey_sign_in, name="passkey-sign-in"),
    path("passkey/options", showing.options, name="passkey-options"),
    path("second-factor", showing.second_factor, name="mfa_authenticate"),  # allauth's name for it
    path("prove", showing.prove, name="prove"),
    path("sign-in/firm", sign_on.firm, name="sign-on-firm"),
    path("sign-on/<uuid:tenant>/start", sign_on.start, name="sign-on-start"),
    path("sign-on/<uuid:tenant>/callback", sign_on.callback, name="sign-on-callback"),
    path("sign-on/<uuid:tenant>/acs", sign_on.acs, name="sign-on-acs"),
    path("sign-on/<uuid:tenant>/finish", sign_on.finish, name="sign-on-finish"),
    path("sign-on/<uuid:tenant>/metadata", sign_on.about_us, name="sign-on-about-us"),
    path("sign-out", passwords.sign_out, name="account_logout"),
    path("password", passwords.ask, name="password-ask"),
    path("password/<str:secret>", passwords.set_one, name="password-set"),
    # for recipients
    path("confirm/<str:secret>", recipients.confirm, name="confirm"),
    path("look/recipient.css", recipients.look, name="recipient-look"),
    # for anybody: what is promised, and whether it holds
    path("trust", centre.programmes, name="trust-centres"),
    path("trust.json", centre_files.documents, name="trust-papers"),
    path("trust/", centre.unslashed, name="trust-slash"),
    path("trust/<path:rest>/", centre.unslashed, name="trust-slash-below"),
    path("trust/<slug:code>", centre.shown, name="trust-centre"),
    path("trust/<slug:code>/claims/<slug:claim>", centre.claim, name="trust-claim"),
    path("trust/<slug:code>/changes.atom", centre_feed.changes, name="trust-changes"),
    path("trust/<slug:code>/badge.svg", centre_files.badge, name="trust-badge"),
    path("trust/<slug:code>/trust.json", centre_files.document, name="trust-document"),
    path("trust/<slug:code>/evidence/<uuid:piece>", centre_files.evidence, name="trust-evidence"),
    path("trust/<slug:code>/of/<slug:client>", centre_own.shown, name="trust-own"),
    path("look/trust.css", centre_answers.look, name="trust-look"),
    # for anybody: what should not have been sent, and weaknesses
    path("report-abuse", desks.report, name="report-abuse"),
    path("security", desks.weakness, name="security"),
    path("report/<str:token>", shown.shown, name="report-shown"),
    path("look/desks.css", outside.look, name="desk-look"),
    path("trust/<slug:code>/contacts", asking_public.contact, name="trust-contacts"),
    path("trust/<slug:code>/subprocessors", asking_public.others, name="trust-subprocessors"),
    path("trust/<slug:code>/questions", asking_public.questions, name="trust-questions"),
    path("trust/<slug:code>/ask", asking_public.ask, name="trust-ask"),
    path("trust/<slug:code>/documents", asking_public.documents, name="trust-documents"),
    path("asked/<str:token>", asking_confirming.shown, name="asked"),
    path("asked/<str:token>/documents/<uuid:piece>", asking_confirming.taken, name="asked-document"),
    path(".well-known/security.txt", well_known.security_txt, name="security-txt"),
    # the sending door's public paths, where no proxy in front of both tells them apart
    path("u/<str:token>", passing.to_door, name="unsubscribe"),
    path("r/<str:token>", passing.to_door, name="own-page"),
    path("r/<str:token>/report", passing.to_door, name="own-report"),
    path("r/<str:token>/erase", passing.to_door, name="own-erase"),
    path("r/<str:token>/copy", passing.to_door, name="own-copy"),
    path("r/<str:token>/all", passing.to_door, name="own-all"),
    path("r/<str:token>/code", passing.to_door, name="own-code"),
    path("assets/letter.css", passing.to_door, name="letter-look"),
    path("healthz", health.ready, name="healthz"),
    path("livez", health.live, name="livez"),
    path("static/<str:name>", assets.asset, name="asset"),
]
handler400 = "troth.control.web.errors.unreadable"
handler403 = "troth.control.web.errors.not_found"
handler404 = "troth.control.web.errors.not_found"
handler500 = "troth.control.web.errors.broken"
