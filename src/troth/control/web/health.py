"""The pages' own health: /livez says that the process answers, /healthz that it can serve: the database answers it.

No sign-in, no secrets; two seconds at most. Whoever asks learns nothing but yes or no.
"""

import psycopg
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

_PATIENCE = 2  # seconds to connect; libpq takes no less
_TIMEOUT = "SET statement_timeout = '1500ms'"
_AWAY = {"status": "unavailable", "sentence": "The database does not answer. Nothing is lost; try again soon."}
_HEADERS = {"Cache-Control": "no-store"}


@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """GET /livez"""
    return JsonResponse({"status": "ok"}, headers=_HEADERS)


@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """GET /healthz: over a connection of its own, since one that hangs would hang the answer."""
    params = {**connection.get_connection_params(), "connect_timeout": _PATIENCE}
    try:
        with psycopg.connect(**params, autocommit=True) as own:
            own.execute(_TIMEOUT)
            own.execute("SELECT now_v1()")
    except psycopg.Error:
        return JsonResponse(_AWAY, status=503, headers={**_HEADERS, "Retry-After": "5"})
    return JsonResponse({"status": "ok"}, headers=_HEADERS)
