"""The pages' shell, its first page: what needs a person, then how the mail runs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """GET /"""
    return render(request, "web/home.html", {"section": "home"})
