"""Every page of the control plane by its path. A page that is not open in web/middleware.py needs a sign-in."""

from allauth.account import views as allauth  # type: ignore[import-untyped]  # allauth ships no types
from django.urls import path

from troth.control.domains import views as domains
from troth.control.ledger import proof, receipts
from troth.control.ledger import views as ledger
from troth.control.messages import views as messages
from troth.control.messages.evidence import Evidence
from troth.control.people import passwords
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
    # the way in
    path("sign-in", allauth.login, name="account_login"),
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
