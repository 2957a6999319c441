"""Around the house: the pages' process: Django under granian, roles troth_control and troth_signin."""

import os
import ssl
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

from granian.constants import Interfaces, SSLProtocols
from granian.server import Server

from troth.cli import webhooks, wiring
from troth.cli.system_key import in_force, system_key
from troth.cli.words import CommandError
from troth.control.audit import scope
from troth.control.people.credentials import BadCredential, read_private
from troth.control.settings import Handed
from troth.control.wsgi import make_application
from troth.keys.opened import Keys
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.outside.guarded_url import Guard
from troth.settings import Settings, load

_STACK = 16 << 20  # bytes; in granian's own 2 MiB, JSON of 5,000 brackets is a crash before it is a RecursionError
_THREADS = 4
_PROVIDER_SECONDS = 8.0  # a sign-on provider has for one answer; people wait


def serve(settings: Settings) -> int:
    """Listen until SIGTERM. Granian starts its worker anew, which builds the application from the same settings."""
    _check_tls(settings)
    os.environ["RUST_MIN_STACK"] = str(_STACK)  # of the worker's threads
    Server(
        "troth.cli.pages:application",
        address=settings.web_host,
        port=settings.web_port,
        interface=Interfaces.WSGI,
        blocking_threads=_THREADS,
        websockets=False,
        factory=True,
        log_access=False,
        respawn_failed_workers=True,
        ssl_cert=settings.tls_cert_file,
        ssl_key=settings.tls_key_file,
        ssl_protocol_min=SSLProtocols.tls13,
    ).serve()
    return 0


def _check_tls(settings: Settings) -> None:
    """Granian would say less; a key that others can read is refused, as everywhere in the house."""
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return
    try:
        key = read_private(settings.tls_key_file)
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            settings.tls_cert_file, settings.tls_key_file
        )
    except BadCredential as why:
        raise CommandError(f"tls_key_file: {why}") from why
    except (OSError, ssl.SSLError) as trouble:
        raise CommandError(f"tls_cert_file and tls_key_file cannot be used together: {trouble}.") from trouble
    if b"BEGIN PRIVATE KEY" not in key:
        raise CommandError(
            f"{settings.tls_key_file} is not PKCS #8: `openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW` makes it so."
        )


def application() -> Callable[..., Any]:
    """The WSGI application, in granian's worker."""
    settings = load(os.environ, Path.cwd())
    control, signin = (wiring.conninfo(settings, role) for role in ("control", "signin"))
    return make_application(control, signin, handed(settings))


def outward(settings: Settings) -> GuardedClient:
    """How the pages ask a client's sign-on provider: in production over https and at public addresses alone."""
    guard = Guard(settings.sign_on_allow, plain_http=settings.mode != "production")
    return GuardedClient(Resolver(settings.dns_resolvers), guard, seconds=_PROVIDER_SECONDS)


def handed(settings: Settings) -> Handed:
    """What the control plane is given; the keys are opened when a page first needs them, and kept."""

    @cache
    def keys() -> Keys:
        with scope.connect(wiring.conninfo(settings, "control"), "pages") as connection:
            return wiring.control_keys(settings, connection)

    def send_key(tenant: UUID) -> str:
        secrets = keys().secrets
        with scope.connect(wiring.conninfo(settings, "control"), "pages") as connection:
            generation = in_force(connection, secrets, settings.cell, tenant)
        return system_key(secrets, settings.cell, tenant, generation or 0).text

    return Handed(
        keys=keys,
        secret_key=wiring.secret_key(settings),
        allowed_hosts=settings.allowed_hosts,
        public_url=settings.public_url,
        door_url=f"http://{settings.http_host}:{settings.http_port}",
        send_key=send_key,
        spf_mechanism=settings.spf_mechanism or "",
        dkim_settle=timedelta(minutes=settings.dkim_settle_minutes),
        breached=settings.breached_passwords_file,
        outward=outward(settings),
        hooks=webhooks.guard(settings),
        relay=settings.relay_host or "",
        return_path=settings.return_path_domain or "",
        mail_domain=(settings.return_path_domain or "") if settings.inbound_port else "",
        security_key=settings.security_key_file,
    )
