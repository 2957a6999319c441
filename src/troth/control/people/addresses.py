"""People: a typed address becomes what the tables know: `<blind index>@people.invalid`; nothing else is ever kept."""

from django.conf import settings
from django.utils.crypto import salted_hmac

from troth.control.people.models import Login
from troth.mail.address import AddressError, parse_address

_DOMAIN = "people.invalid"


def resolved(typed: str) -> str:
    """The name to sign in under; for what is no address, one that nobody has."""
    try:
        normal = parse_address(typed.strip()).normal
    except AddressError:
        return f"{'0' * 64}@{_DOMAIN}"
    layers = settings.TROTH_KEYS().secrets.blind_index().all_layers(normal)
    names = [f"{index.hex()}@{_DOMAIN}" for _, index in layers]
    known = set(Login.objects.filter(email__in=names).values_list("email", flat=True))
    return next((name for name in names if name in known), names[0])


def hidden(what: str, value: str) -> bytes:
    """A keyed hash (32 bytes) under which attempts are counted, so that the table tells neither address nor place."""
    return salted_hmac(f"troth.throttle.{what}", value, algorithm="sha256").digest()
