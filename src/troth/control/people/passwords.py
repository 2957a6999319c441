"""People: the way in besides signing in: a link by mail, a password set with it, and the way out.

Looking at a link changes nothing. A new password ends the account's other sessions: each holds a hash of the old one.
"""

from django.conf import settings
from django.contrib.auth import logout
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from troth.control.people import links, mailing, noticing, page_sessions, throttle
from troth.control.people.actor import actor_of
from troth.control.people.addresses import resolved
from troth.control.people.forms import AskLink, SetPassword
from troth.control.people.guard import needs
from troth.control.people.models import Login
from troth.keys import places


@needs("self:write")
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """POST /sign-out: the session is gone, here and in the database."""
    page_sessions.end(actor_of(request).secret)
    logout(request)
    response = HttpResponseRedirect("/sign-in")
    page_sessions.forgotten(response)
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def ask(request: HttpRequest) -> HttpResponse:
    """GET, POST /password: the same answer, in the same time, whether anybody has this address."""
    form = AskLink(request.POST or None)
    if request.method == "POST" and form.is_valid():
        name = resolved(form.cleaned_data["email"])
        if throttle.tries_left(request, "password link", name) >= 0:
            mailing.send_link(name)
        return render(request, "people/asked.html", {"minutes": throttle.MINUTES})
    return render(request, "people/ask.html", {"form": form})


@never_cache
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def set_one(request: HttpRequest, secret: str) -> HttpResponse:
    """GET, POST /password/<secret>"""
    value = links.secret_of(secret)
    link = links.look(value) if value else None
    if value is None or link is None:
        raise Http404
    if link.ended:
        return render(request, "people/ended.html", status=410)
    form = SetPassword(request.POST or None, address=_address(link))
    if request.method == "POST" and form.is_valid():
        before = Login.objects.get(pk=link.account)
        if links.use(value, form.hashed()) is None:
            return render(request, "people/ended.html", status=410)
        throttle.forget("sign-in", before.email)
        if before.has_usable_password():  # the first one of an invitation is no news
            noticing.changed(request, link.account, "Your password was set anew")
        logout(request)
        return render(request, "people/done.html")
    return render(request, "people/set.html", {"form": form})


def _address(link: links.Found) -> str:
    """For the rule that a password is not one's address; the page does not show it."""
    operator = settings.TROTH_KEYS().operator
    address: bytes = operator.open(link.address_ct, places.account(link.account, "address"))
    return address.decode()
