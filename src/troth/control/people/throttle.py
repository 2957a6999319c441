"""People: how often somebody may try: five times an address, a hundred times a place, in a quarter of an hour.

The counts are rows, so that all processes share them; the attempts of one address wait for one another at its row.
"""

from ipaddress import ip_address

from django.db import connection
from django.http import HttpRequest

from troth.control.people.addresses import hidden

MINUTES = 15
TRIES = 5
_PLACE_TRIES = 100


def tries_left(request: HttpRequest, what: str, name: str) -> int:
    """Count this attempt; how many more may follow. Below zero: this one may not be made."""
    places = _places(request, what)
    left = TRIES - _count([hidden(what, name)])
    return min(left, _PLACE_TRIES - _count(places)) if places else left


def place_full(request: HttpRequest, what: str) -> bool:
    """Count an attempt that names nobody; whether its place has made too many."""
    places = _places(request, what)
    return bool(places) and _count(places) > _PLACE_TRIES


def forget(what: str, name: str) -> None:
    """It went well: the next attempts begin anew."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT troth.throttle_clear_v1(%s)", [[hidden(what, name)]])


def _count(keys: list[bytes]) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT troth.throttle_v1(%s, %s)", [keys, MINUTES * 60])
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def _places(request: HttpRequest, what: str) -> list[bytes]:
    """Where it comes from; a proxy on this machine stands for everybody and is not counted."""
    place = request.META.get("REMOTE_ADDR", "")
    try:
        if ip_address(place).is_loopback:
            return []
    except ValueError:
        return []
    return [hidden(f"{what} from", place)]
