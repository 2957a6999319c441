"""Django's settings, made from Troth's: the control plane has no knobs of its own."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django.utils.csp import CSP

INSTALLED_APPS = [
    "troth.control.audit",
    "troth.control.tenants",
    "troth.control.people",
    "troth.control.approvals",
    "troth.control.pipeline",
    "troth.control.recipients",
]
_YEAR = 31_536_000  # seconds
_CSP = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "img-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}


def database(conninfo: Mapping[str, Any]) -> dict[str, Any]:
    """Psycopg keywords (host, port, user, password, dbname, options) as Django's DATABASES entry."""
    known = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    entry = {django: conninfo[ours] for ours, django in known.items() if ours in conninfo}
    options = {k: v for k, v in conninfo.items() if k not in known}
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options, **entry}


def pages(
    conninfo: Mapping[str, Any], *, secret_key: str, allowed_hosts: Sequence[str], public_url: str, door_url: str
) -> dict[str, Any]:
    """What the pages run with: role troth_control, no script, nothing from elsewhere, cookies for this host alone."""
    public = urlsplit(public_url)
    secure = public.scheme == "https"
    return {
        "INSTALLED_APPS": INSTALLED_APPS,
        "DATABASES": {"default": database({**conninfo, "options": "-c search_path=troth"})},
        "USE_TZ": True,
        "TIME_ZONE": "UTC",  # as the pages say; Django's own default is Chicago
        "SECRET_KEY": secret_key,
        "ALLOWED_HOSTS": list({*allowed_hosts, public.hostname or "localhost"}),
        "CSRF_TRUSTED_ORIGINS": [f"{public.scheme}://{public.netloc}"],
        "CSRF_COOKIE_NAME": "troth_csrf",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_COOKIE_SECURE": secure,
        "CSRF_FAILURE_VIEW": "troth.control.recipients.views.cookie_missing",
        "SECURE_HSTS_SECONDS": _YEAR if secure else 0,
        # not no-referrer: a form would then send `Origin: null`; there is no link to elsewhere on these pages
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CSP": _CSP,
        "X_FRAME_OPTIONS": "DENY",
        "MIDDLEWARE": [
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.csp.ContentSecurityPolicyMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
        ],
        "TEMPLATES": [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}],
        "ROOT_URLCONF": "troth.control.urls",
        "APPEND_SLASH": False,
        "LOGGING_CONFIG": None,
        "TROTH_DOOR_URL": door_url,
        "TROTH_SECURE": secure,
    }
