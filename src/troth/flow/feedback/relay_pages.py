"""Feedback: the addresses that a relay posts its webhooks to: POST /hooks/mailgun and POST /hooks/ses.

A call is believed by its signature, whose age is the true time's; it is taken once; and 200 is said when all that it
told is committed. While the store is away it is told to come again, so that nothing is lost and nothing is believed
unseen.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256

import psycopg
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from troth.flow.feedback import receiving
from troth.flow.feedback.deps import Deps
from troth.flow.feedback.outcome import Early
from troth.flow.feedback.relay_acting import Heard, act
from troth.flow.feedback.relay_refusing import Refused, answer, done
from troth.flow.feedback.relay_verifying import believe, notice_of
from troth.flow.gate.accept import StoreAway
from troth.keys.errors import KmsUnavailable
from troth.mail import relay_sns
from troth.mail.relay_facts import Fact
from troth.mail.relay_json import BodyError
from troth.mail.relay_mailgun import Call, read_form, read_json
from troth.mail.relay_ses import facts
from troth.mail.relay_sns import Notice
from troth.outside.guarded_http import NoAnswer
from troth.outside.guarded_url import BadUrl, ForbiddenAddress
from troth.outside.sns import Sns
from troth.store import relay as store
from troth.store.connection import Connection

LIMIT = 524_288  # octets of a call: SNS takes 256 KiB of message, which JSON may double
AHEAD = timedelta(minutes=5)  # that another clock may be before ours
SNS_AGE = timedelta(hours=1)  # SNS gives an HTTP endpoint up after an hour of retries
_AT_ONCE = 8  # calls of a relay that a process carries out side by side
_log = structlog.get_logger("troth.feedback")
_AWAY = (psycopg.Error, KmsUnavailable, StoreAway, TimeoutError)
MAILGUN, SES = "mailgun", "ses"


@dataclass(frozen=True, slots=True)
class Relays:
    """Whose webhooks are taken. mailgun_keys: those in force, asked at each call, none where Mailgun's are not taken;
    topics: ARNs of the SNS topics, none where SES's are not.
    """

    mailgun_keys: Callable[[], tuple[bytes, ...]]
    topics: frozenset[str]
    sns: Sns
    mailgun_age: timedelta = timedelta(minutes=15)
    mailgun_room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))
    ses_room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_AT_ONCE))


@dataclass(frozen=True, slots=True)
class _Signed:
    """A call whose signature holds: its one-time token, and the facts to be carried out."""

    relay: str
    token: str
    body: bytes
    facts: tuple[Fact, ...]


def routes(deps: Deps, relays: Relays) -> list[Route]:
    """Every method is answered, so that 405 is a problem document too."""

    async def mailgun(request: Request) -> Response:
        return await _guarded(request, MAILGUN, lambda: _mailgun(deps, relays, request))

    async def ses(request: Request) -> Response:
        return await _guarded(request, SES, lambda: _ses(deps, relays, request))

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    return [Route("/hooks/mailgun", mailgun, methods=methods), Route("/hooks/ses", ses, methods=methods)]


async def _guarded(request: Request, relay: str, work: Callable[[], Awaitable[Response]]) -> Response:
    if request.method != "POST":
        return answer(request, relay, Refused("method-not-allowed", "Use POST here."))
    try:
        return await work()
    except Refused as refused:
        _log.warning("relay.refused", relay=relay, why=refused.slug)
        return answer(request, relay, refused)
    except Early:
        return answer(request, relay, Refused("webhook-early", "The message is on the wire just now. Come again."))
    except _AWAY as error:
        _log.warning("relay.store_away", relay=relay, error=type(error).__name__)
        away = Refused("store-unavailable", "We cannot reach our store just now, so nothing was taken. Come again.")
        return answer(request, relay, away)


# ---- Mailgun


async def _mailgun(deps: Deps, relays: Relays, request: Request) -> Response:
    keys = relays.mailgun_keys()
    if not keys:
        raise Refused("not-found", "No webhooks of Mailgun are taken here: set mailgun_signing_key_file.")
    body = await _body(request)
    call = _read(request.headers.get("content-type", ""), body)
    if not call.signature.holds(keys):
        raise Refused("webhook-forged", "None of our keys made this signature: mailgun_signing_key_file names them.")
    async with relays.mailgun_room:
        async with deps.lend() as connection:
            clocks = await store.clocks(connection)
        _check_age(call.signature.at, clocks.wall, relays.mailgun_age)
        token = call.signature.token
        return await _take(deps, _Signed(MAILGUN, token, body, (call.fact,)), clocks)


def _read(content_type: str, body: bytes) -> Call:
    """JSON, whatever it calls itself, unless it says that it is a form."""
    media = content_type.partition(";")[0].strip().lower()
    try:
        if media in ("application/x-www-form-urlencoded", "multipart/form-data"):
            return read_form(content_type, body)
        return read_json(body)
    except BodyError as wrong:
        raise Refused("webhook-unreadable", str(wrong)) from None


# ---- SES, through SNS


async def _ses(deps: Deps, relays: Relays, request: Request) -> Response:
    if not relays.topics:
        raise Refused("not-found", "No webhooks of SES are taken here: set ses_topics.")
    body = await _body(request)
    notice = notice_of(body, relays.topics)
    async with relays.ses_room, deps.lend() as connection:
        clocks = await store.clocks(connection)
    _check_age(notice.at, clocks.wall, SNS_AGE)
    await _ask(believe(relays.sns, notice, clocks.wall))
    async with relays.ses_room:
        if notice.type == relay_sns.CONFIRMATION:
            return await _confirm(deps, relays, notice, body)
        signed = _Signed(SES, notice.id, body, _told(notice))
        return await _take(deps, signed, clocks)


def _told(notice: Notice) -> tuple[Fact, ...]:
    """What SES says in it; nothing in a goodbye, and in the plain words with which SES tries a topic out."""
    if notice.type == relay_sns.FAREWELL:
        _log.error("relay.unsubscribed", topic=notice.topic)
        return ()
    try:
        return facts(notice.event(), notice.id, notice.at)
    except BodyError:
        return ()


async def _confirm(deps: Deps, relays: Relays, notice: Notice, body: bytes) -> Response:
    """A subscription to a topic of ours, which begins when its address was asked."""
    url = notice.subscribe_url
    try:
        relay_sns.subscribe_url(url, relays.sns.origin)
    except relay_sns.SnsError as wrong:
        raise Refused("webhook-foreign", str(wrong)) from None
    async with deps.lend() as connection:
        await _begin(connection, SES, notice.id, body)
    await _ask(relays.sns.confirm(url))
    async with deps.lend() as connection:
        await store.end(connection, SES, notice.id)
        await store.count(connection, SES, {"confirmed": 1})
    _log.info("relay.subscribed", topic=notice.topic)
    return done(SES, "confirmed")


async def _ask(asking: Awaitable[None]) -> None:
    """Where SNS cannot be asked, the call comes again."""
    try:
        await asking
    except (NoAnswer, ForbiddenAddress, BadUrl) as trouble:
        raise Refused("webhook-unverifiable", f"SNS could not be asked: {trouble}") from None


# ---- both


async def _body(request: Request) -> bytes:
    found = await receiving.body(request, LIMIT)
    if found is None:
        raise Refused("body-too-large", f"The body is over {LIMIT} bytes, or came too slowly.")
    return found


def _check_age(made: datetime | None, wall: datetime, most: timedelta) -> None:
    if made is None or not wall - most <= made <= wall + AHEAD:
        minutes = int(most.total_seconds() // 60)
        raise Refused("webhook-old", f"Only signatures of the last {minutes} minutes are believed: see both clocks.")


async def _take(deps: Deps, signed: _Signed, clocks: store.Clocks) -> Response:
    """Once; what it sets in motion is committed before it counts as taken."""
    async with deps.lend() as connection:
        await _begin(connection, signed.relay, signed.token, signed.body)
        outcomes = await act(deps, connection, Heard(signed.relay, signed.facts, clocks.now, clocks.wall))
        await store.end(connection, signed.relay, signed.token)
        await store.count(connection, signed.relay, outcomes)
    return done(signed.relay, "taken")


async def _begin(connection: Connection, relay: str, token: str, body: bytes) -> None:
    if not await store.begin(connection, relay, token, sha256(body).digest()):
        raise Refused("webhook-replayed", "This call was taken before; nothing was changed now.")
