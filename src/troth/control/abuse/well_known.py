"""The desks: serves security.txt (RFC 9116), signed where the installation has a key for that."""

import logging
from pathlib import Path
from threading import Lock

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from troth.control.abuse import filing, who
from troth.control.abuse.security_txt import About, document
from troth.outside.openpgp import CannotSign, sign

_log = logging.getLogger("troth.abuse")
_signed: dict[tuple[str, float], str] = {}
_one = Lock()  # one signature at a time: what a crowd asks for is made once
_MOST = 50


@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """GET /.well-known/security.txt: a programme's by its domain, else the installation's."""
    whose = who.of(request)
    about = About(whose.host, whose.security, whose.languages, whose.encryption, whose.policy)
    text = document(about, filing.now())
    response = HttpResponse(_sealed(text, settings.TROTH_SECURITY_KEY), content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "max-age=3600"
    return response


def _sealed(text: str, key: Path | None) -> str:
    """Signed once a day, since the text stays the same so long; as it is where the key does not serve."""
    if key is None:
        return text
    try:
        place = (text, key.stat().st_mtime)
        with _one:
            if place not in _signed:
                if len(_signed) >= _MOST:
                    _signed.clear()
                _signed[place] = sign(text, key)
            return _signed[place]
    except (CannotSign, OSError) as why:
        _log.error("security.txt is served without its signature: %s", why)
        return text
