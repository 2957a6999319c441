"""The pages as one WSGI application, made from what the composition root hands in."""

import logging
from collections.abc import Mapping
from typing import Any

from django.core.handlers.wsgi import WSGIHandler

from troth.control.settings import Handed, pages

_TELL_PATHS = ("django.request", "django.security.csrf", "django.security.DisallowedHost")


def make_application(conninfo: Mapping[str, Any], signin: Mapping[str, Any], handed: Handed) -> WSGIHandler:
    """Configure Django, once a process. `signin`: where role troth_signin connects."""
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    settings.configure(**pages(conninfo, signin, handed))
    django.setup()
    for name in _TELL_PATHS:
        logging.getLogger(name).addFilter(without_path)
    return get_wsgi_application()


def without_path(record: logging.LogRecord) -> bool:
    """Django logs the path of what it refuses; here that is a link's secret. The status and the trace are enough."""
    record.msg, record.args = "a page answered %s", (getattr(record, "status_code", "with a refusal"),)
    return True
