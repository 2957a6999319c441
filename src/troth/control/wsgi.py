"""The pages as one WSGI application, made from what the composition root hands in."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.handlers.wsgi import WSGIHandler


def make_application(
    conninfo: Mapping[str, Any], *, secret_key: str, allowed_hosts: Sequence[str], public_url: str, door_url: str
) -> WSGIHandler:
    """Configure Django, once a process."""
    import django
    from django.conf import settings
    from django.core.wsgi import get_wsgi_application

    from troth.control.settings import pages

    values = pages(
        conninfo, secret_key=secret_key, allowed_hosts=allowed_hosts, public_url=public_url, door_url=door_url
    )
    settings.configure(**values)
    django.setup()
    return get_wsgi_application()
