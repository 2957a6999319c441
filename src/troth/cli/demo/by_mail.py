"""Beside the demo's river: a stranger's mail server, which finds ours by its MX and hands it one letter."""

import asyncio
import smtplib
import ssl

from troth.outside.dns import Lookup, Resolver
from troth.settings import Settings

_PATIENCE = 20.0  # seconds


def leave(settings: Settings, sender: str, recipient: str) -> None:
    """What a mail program sends to List-Unsubscribe's address when its reader presses Unsubscribe."""
    letter = f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: unsubscribe\r\n\r\nunsubscribe\r\n"
    send(settings, sender, recipient, letter.encode())


def send(settings: Settings, sender: str, recipient: str, letter: bytes) -> None:
    """`sender` "": the null reverse path. Raise OSError or SMTPException when it is not taken. The port is that of the
    settings: 25 is not to be had.
    """
    host = asyncio.run(_host(Resolver(settings.dns_resolvers), recipient.rpartition("@")[2]))
    with smtplib.SMTP(host, settings.inbound_port or 25, "reader.test", _PATIENCE) as there:
        there.starttls(context=_whoever())
        there.sendmail(sender, [recipient], letter)


async def _host(resolver: Resolver, domain: str) -> str:
    """The address of the domain's first MX."""
    exchanges = await resolver.mx(domain)
    if not isinstance(exchanges, Lookup) or not exchanges.values:
        raise OSError(f"{domain} has no MX.")
    there = await resolver.addresses(exchanges.values[0][1])
    if not isinstance(there, Lookup) or not there.values:
        raise OSError(f"{exchanges.values[0][1]} has no address.")
    return there.values[0]


def _whoever() -> ssl.SSLContext:
    """As mail servers do without DANE (RFC 7672): encrypted, to whoever answers."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
