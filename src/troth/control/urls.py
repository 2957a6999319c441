"""Every page of the control plane by its path."""

from django.urls import path

from troth.control.recipients import passing, views

urlpatterns = [
    path("confirm/<str:secret>", views.confirm, name="confirm"),
    path("look/recipient.css", views.look, name="look"),
    # the sending door's public paths, where no proxy in front of both tells them apart
    path("u/<str:token>", passing.to_door),
    path("assets/letter.css", passing.to_door),
]
handler400 = "troth.control.recipients.views.not_found"
handler403 = "troth.control.recipients.views.not_found"
handler404 = "troth.control.recipients.views.not_found"
handler500 = "troth.control.recipients.views.broken"
