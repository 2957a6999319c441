"""Every page of the control plane by its path. A page that is not open in web/middleware.py needs a sign-in."""

from allauth.account import views as allauth  # type: ignore[import-untyped]  # allauth ships no types
from django.urls import path

from troth.control.domains import views as domains
from troth.control.ledger import proof, receipts
from troth.control.ledger import views as ledger
from troth.control.messages import views as messages
from troth.control.messages.evidence import Evidence
from troth.control.people import account, nudging, passwords
from troth.control.people.factors import enrolling, showing
from troth.control.people.sign_on import views as sign_on
from troth.control.recipients import passing
from troth.control.recipients import views as recipients
from troth.control.suppressions import views as suppressions
from troth.control.templates import views as templates
from troth.control.web import assets, health, home, views
from troth.ledger.receipt import encode

# what the ledger knows of a message; the two rooms are neighbours and meet here
_EVIDENCE = {"evidence": Evidence(proof.newest, proof.event_proofs, lambda *given: encode(receipts.make(*given)))}

urlpatterns = [
    path("", home.home, name="home"),
    path("clients", views.clients, name="clients"),
    path("scope", views.scope, name="scope"),
    path("look", views.look, name="look"),
    path("templates", templates.listed, name="templates"),
    path("templates/<uuid:subject>", templates.detail, name="template"),
    path("templates/<uuid:subject>/versions/<int:number>", templates.detail, name="template-version"),
    path("templates/<uuid:subject>/versions/<int:number>/preview", templates.framed, name="template-preview"),
    path("messages", messages.listed, name="messages"),
    path("messages/find", messages.find, name="messages-find"),
    path("messages/<str:ref>", messages.detail, _EVIDENCE, name="message"),
    path("messages/<str:ref>/receipt", messages.receipt, _EVIDENCE, name="message-receipt"),
    path("suppressions", suppressions.listed, name="suppressions"),
    path("suppressions/find", suppressions.find, name="suppressions-find"),
    path("domains", domains.listed, name="domains"),
    path("domains/<uuid:domain>", domains.detail, name="domain"),
    path("ledger", ledger.ledger, name="ledger"),
    path("ledger/checkpoint", ledger.checkpoint, name="ledger-checkpoint"),
    path("ledger/entries/<int:index>", ledger.entry, name="ledger-entry"),
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
    # the sending door's public paths, where no proxy in front of both tells them apart
    path("u/<str:token>", passing.to_door, name="unsubscribe"),
    path("assets/letter.css", passing.to_door, name="letter-look"),
    path("healthz", health.ready, name="healthz"),
    path("livez", health.live, name="livez"),
    path("static/<str:name>", assets.asset, name="asset"),
]
handler400 = "troth.control.web.errors.unreadable"
handler403 = "troth.control.web.errors.not_found"
handler404 = "troth.control.web.errors.not_found"
handler500 = "troth.control.web.errors.broken"
