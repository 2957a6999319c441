"""The command line and the watch: a check of claims, its controls in processes of their own, and what follows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from troth.cli import wiring
from troth.control.audit import scope
from troth.control.trust import apart, running, watch
from troth.control.trust.look import Look, Outside
from troth.control.trust.running import Standing
from troth.control.trust.web_probe import Place
from troth.outside.dns import Resolver
from troth.outside.relay_probe import Relay
from troth.settings import Settings


def check(
    settings: Settings, connection: scope.Connection, ids: Sequence[str], programme: str | None, *, due: bool = False
) -> list[Standing]:
    """Of these claims, or of all; `due`: of them what is due, and nothing while another process looks."""
    with watch.leading(connection) if due else _everything() as leads:
        if not leads:
            return []
        look, only = _look(settings, connection), watch.due(connection) if due else None
        run = apart.runner(lambda: _opened(settings))
        found = running.check(look, ids, programme, run=run, only=only) if only is None or only else []
        watch.follow(look)
    return found


@contextmanager
def _everything() -> Iterator[bool]:
    yield True


@contextmanager
def _opened(settings: Settings) -> Iterator[Look]:
    """In a child: a connection of its own."""
    with scope.connect(wiring.conninfo(settings, "control"), "claims") as connection:
        yield _look(settings, connection)


def _look(settings: Settings, connection: scope.Connection) -> Look:
    keys = wiring.control_keys(settings, connection)
    resolver = Resolver([(each.host, each.port) for each in settings.dns_resolvers], timeout=4.0)
    public = urlsplit(settings.public_url)
    outside = Outside(
        resolver,
        settings.spf_mechanism,
        settings.witness_path,
        pages=Place(settings.web_host, settings.web_port, bool(settings.tls_cert_file), public.netloc),
        door=Place(settings.http_host, settings.http_port, tls=False, public=public.netloc),
        relay=_relay(settings),
        bounces=settings.return_path_domain,
        addresses=settings.sending_addresses,
        address_lists=settings.address_lists,
    )
    return running.look(connection, (keys.keyring, keys.secrets, keys.operator), outside)


def _relay(settings: Settings) -> Relay | None:
    if settings.relay_host is None:
        return None
    ca_file = str(settings.relay_ca_file) if settings.relay_ca_file else None
    name = settings.relay_server_name or settings.relay_host
    return Relay(settings.relay_host, settings.relay_port, settings.relay_tls, name, ca_file)
