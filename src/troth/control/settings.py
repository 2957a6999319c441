"""Django's settings, made from Troth's: the control plane has no knobs of its own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

from django.utils.csp import CSP

from troth.keys.opened import Keys
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.outside.guarded_url import Guard

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "troth.control.audit",
    "troth.control.ledger",
    "troth.control.tenants",
    "troth.control.people",
    "troth.control.approvals",
    "troth.control.pipeline",
    "troth.control.imports",
    "troth.control.simulator",
    "troth.control.recipients",
    "troth.control.trust",
    "troth.control.audits",
    "troth.control.calendar",
    "troth.control.centre",
    "troth.control.webhooks",
    "troth.control.apikeys",
    "troth.control.access",
    "troth.control.records",
    "troth.control.policies",
    "troth.control.categories",
    "troth.control.templates",
    "troth.control.messages",
    "troth.control.suppressions",
    "troth.control.privacy",
    "troth.control.stops",
    "troth.control.limits",
    "troth.control.designation",
    "troth.control.domains",
    "troth.control.incidents",
    "troth.control.evidence",
    "troth.control.abuse",
    "troth.control.asking",
    "troth.control.complaints",
    "troth.control.reports",
    "troth.control.letters",
    "troth.control.web",
    "allauth",  # behind our rooms, whose templates come before its own
    "allauth.account",
    "allauth.mfa",
]
_YEAR = 31_536_000  # seconds
_IDLE = 1800  # seconds without use that end a session
_CSP = {
    "default-src": [CSP.NONE],
    "style-src": [CSP.SELF],
    "script-src": [CSP.SELF],  # troth.js and htmx, as files of ours; pages work without
    "connect-src": [CSP.SELF],  # htmx asks for parts of pages
    "img-src": [CSP.SELF],
    "form-action": [CSP.SELF],
    "frame-src": [CSP.SELF],  # a template's preview, which is sandboxed by its own policy
    "base-uri": [CSP.NONE],
    "frame-ancestors": [CSP.NONE],
}
# from the outside in
_MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "troth.control.web.middleware.one_transaction",
    "troth.control.web.middleware.Sessions",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "troth.control.web.middleware.acting",
    "django.contrib.messages.middleware.MessageMiddleware",  # not its app, with which allauth would talk
    "allauth.account.middleware.AccountMiddleware",
]
_TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "APP_DIRS": True,
    "OPTIONS": {
        "builtins": ["troth.control.web.templatetags.look", "troth.control.web.templatetags.form"],
        "context_processors": ["django.template.context_processors.request", "troth.control.web.context.shell"],
    },
}
# what migrations need to know, too
SCHEMA: dict[str, Any] = {
    "INSTALLED_APPS": INSTALLED_APPS,
    "MIDDLEWARE": _MIDDLEWARE,
    "TEMPLATES": [_TEMPLATES],
    "AUTH_USER_MODEL": "people.Login",
    "ACCOUNT_USER_MODEL_USERNAME_FIELD": None,
    "ACCOUNT_LOGIN_METHODS": {"email"},
    "ACCOUNT_SIGNUP_FIELDS": ["email*", "password1*"],
    "DEFAULT_AUTO_FIELD": "django.db.models.BigAutoField",
    "USE_TZ": True,
    "TIME_ZONE": "UTC",  # as the pages say; Django's own default is Chicago
}
_SIGN_IN: dict[str, Any] = {
    "AUTHENTICATION_BACKENDS": ["allauth.account.auth_backends.AuthenticationBackend"],
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.Argon2PasswordHasher"],
    "LOGIN_URL": "/sign-in",
    "LOGIN_REDIRECT_URL": "/",
    "ACCOUNT_ADAPTER": "troth.control.people.adapter.Adapter",
    "ACCOUNT_FORMS": {"login": "troth.control.people.forms.SignIn"},
    "ACCOUNT_EMAIL_VERIFICATION": "none",  # an address is two people's approval
    "ACCOUNT_RATE_LIMITS": False,  # people/throttle.py counts in tables that all processes share
    "ACCOUNT_SESSION_REMEMBER": True,  # the cookie lives as long as the session does without use
    "ACCOUNT_LOGOUT_REDIRECT_URL": "/sign-in",
    "ACCOUNT_PREVENT_ENUMERATION": "strict",
    "MFA_ADAPTER": "troth.control.people.adapter.FactorAdapter",
    "MFA_SUPPORTED_TYPES": ["totp", "webauthn", "recovery_codes"],
    "MFA_PASSKEY_LOGIN_ENABLED": True,
    "MFA_RATE_LIMITS": False,  # as above
    "MESSAGE_STORAGE": "django.contrib.messages.storage.session.SessionStorage",
    "SESSION_ENGINE": "django.contrib.sessions.backends.db",
    "SESSION_COOKIE_AGE": _IDLE,
    "SESSION_SAVE_EVERY_REQUEST": True,
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",  # Strict would sign out whoever follows a link in a mail
}


@dataclass(frozen=True, slots=True)
class Handed:
    """What the composition root hands in. `keys` opens them when first asked; `send_key` gives the API key with which
    the pages send a system tenant's mail at `door_url`. `spf_mechanism`: what a sender domain's SPF record must
    hold. `breached`: a file of stolen passwords (people/breached.py). `outward` asks what clients name: their sign-
    on providers, and the DNS of their domains. `hooks`: which URLs their webhooks may go to. `relay`: the next
    hop's host. `return_path`: the domain of return paths; `mail_domain`: where our mail is taken, "" where none is;
    `security_key` signs security.txt.
    """

    keys: Callable[[], Keys]
    secret_key: str = field(repr=False)
    allowed_hosts: Sequence[str]
    public_url: str
    door_url: str
    send_key: Callable[[UUID], str]
    spf_mechanism: str = ""
    dkim_settle: timedelta = timedelta(hours=1)
    breached: Path | None = None
    outward: GuardedClient = field(default_factory=lambda: GuardedClient(Resolver()))
    hooks: Guard = field(default_factory=Guard)
    relay: str = ""
    mail_domain: str = ""
    return_path: str = ""
    security_key: Path | None = None


def database(conninfo: Mapping[str, Any]) -> dict[str, Any]:
    """Psycopg keywords (host, port, user, password, dbname, options) as Django's DATABASES entry."""
    known = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    entry = {django: conninfo[ours] for ours, django in known.items() if ours in conninfo}
    options = {k: v for k, v in conninfo.items() if k not in known}
    return {"ENGINE": "django.db.backends.postgresql", "OPTIONS": options, **entry}


def _pooled(conninfo: Mapping[str, Any]) -> dict[str, Any]:
    """Connections that requests hand on to one another; one that died is found out before it is used."""
    entry = database({**conninfo, "options": "-c search_path=troth"})
    entry["OPTIONS"]["pool"] = {
        "min_size": 0,
        "max_size": 8,
        "timeout": 3,  # seconds; then the page says that the database is away
        "max_idle": 60,
        "reconnect_timeout": 1,  # given up soon and tried anew by the next request, not after ever longer pauses
    }
    return {**entry, "CONN_HEALTH_CHECKS": True}


def pages(conninfo: Mapping[str, Any], signin: Mapping[str, Any], handed: Handed) -> dict[str, Any]:
    """What the pages run with: role troth_control, and troth_signin for opening sessions alone; nothing from elsewhere,
    cookies for this host alone.
    """
    public = urlsplit(handed.public_url)
    secure = public.scheme == "https"
    prefix = "__Host-" if secure else ""
    return {
        **SCHEMA,
        **_SIGN_IN,
        "DATABASES": {"default": _pooled(conninfo), "signin": _pooled(signin)},
        "SECRET_KEY": handed.secret_key,
        "ALLOWED_HOSTS": list({*handed.allowed_hosts, public.hostname or "localhost"}),
        "CSRF_TRUSTED_ORIGINS": _origins(public, handed.allowed_hosts),
        "CSRF_COOKIE_NAME": f"{prefix}troth_csrf",
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_COOKIE_SECURE": secure,
        "CSRF_FAILURE_VIEW": "troth.control.web.errors.stale_form",
        "SESSION_COOKIE_NAME": f"{prefix}troth_session",
        "SESSION_COOKIE_SECURE": secure,
        "SECURE_HSTS_SECONDS": _YEAR if secure else 0,
        # not no-referrer: a form would then send `Origin: null`; there is no link to elsewhere on these pages
        "SECURE_REFERRER_POLICY": "same-origin",
        "SECURE_CSP": _CSP,
        "X_FRAME_OPTIONS": "DENY",
        "ROOT_URLCONF": "troth.control.urls",
        "APPEND_SLASH": False,
        "LOGGING_CONFIG": None,
        **_handed_on(handed),
        "TROTH_SECURE": secure,
    }


def _origins(public: SplitResult, hosts: Sequence[str]) -> list[str]:
    """Whose forms are ours: behind a proxy that speaks TLS a request comes as HTTP, and its host says too little."""
    names = [f"*{name}" if name.startswith(".") else name for name in hosts if name != "*"]
    return [f"{public.scheme}://{name}" for name in dict.fromkeys((public.netloc, *names))]


def _handed_on(handed: Handed) -> dict[str, Any]:
    """What our own rooms read of what the composition root gave."""
    return {
        "TROTH_DOOR_URL": handed.door_url,
        "TROTH_PUBLIC_URL": handed.public_url,
        "TROTH_MAIL_DOMAIN": handed.mail_domain,
        "TROTH_RETURN_PATH": handed.return_path,
        "TROTH_SECURITY_KEY": handed.security_key,
        "TROTH_KEYS": handed.keys,
        "TROTH_SEND_KEY": handed.send_key,
        "TROTH_SPF_MECHANISM": handed.spf_mechanism,
        "TROTH_DKIM_SETTLE": handed.dkim_settle,
        "TROTH_BREACHED": handed.breached,
        "TROTH_OUTWARD": handed.outward,
        "TROTH_HOOKS": handed.hooks,
        "TROTH_RELAY": handed.relay,
    }
