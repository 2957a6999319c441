"""Webhooks, in the same process: mail about people's access (an account that nobody uses, a review to decide), of cases
with their clocks and of promises whose state turned, which waits in a table; through the gate like all mail, from the
programme's system tenant.
"""

import hmac
import json
import secrets
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import structlog

from troth.flow.gate.accept import StoreAway
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Refused
from troth.flow.webhooks.deps import Deps
from troth.keys import ids, places
from troth.keys.errors import KeyringError, Undecryptable
from troth.keys.installation import Purpose
from troth.mail.address import Address, AddressError, parse_address
from troth.store import access, people
from troth.store.access import Notice
from troth.store.connection import Connection

log = structlog.get_logger("troth.access")
CATEGORY = "security-notice"
_MOST = 20  # in one round
_LONGEST_NAME = 120
_LONGEST_FINDING = 400
# what a mail is about -> where it is looked at; the first that it has
_PATHS = {
    "anomaly": "/anomalies/{anomaly}",
    "duty": "/calendar?claim={claim}",
    "domain": "/domains/{domain}",
    "review": "/reviews/{review}",
    "account": "/people/{account}",
}
_HOW = {
    "slow": "Its hourly limits are lower until then.",
    "stop-new": "Its new mail is held or refused until then; what was accepted goes on.",
    "stop-delivery": "Nothing of it is sent until then, what was queued before included.",
}
_LATE = "Nobody has looked in time. "
_SOON = "It is done once it is signed, or once a second person has accepted what shows it."
_OVERDUE = "It is late: the promise fails, in public, until it is done."
_WHY = {"unused": "nobody used it", "left": "the person left", "review": "an access review ended it"}


async def tell_all(connection: Connection, deps: Deps, now: datetime) -> int:
    """Everything that is to be told now; how many were."""
    told = 0
    for notice in await access.notices(connection, _MOST):
        try:
            why = await _tell(connection, deps, notice, now)
        except Undecryptable:
            why = "A name or an address of it cannot be opened."
        except (StoreAway, KeyringError):
            continue  # it stays due
        await access.noticed(connection, notice.id, why)
        told += why is None
        if why is not None:
            log.warning("access.notice-unsent", notice=str(notice.id), template=notice.template, why=why)
    return told


async def _tell(connection: Connection, deps: Deps, notice: Notice, now: datetime) -> str | None:
    """None: the gate took it; else why not."""
    if notice.system is None or notice.address_ct is None:
        return "The account is closed, or its programme has no system tenant to write from."
    text = deps.operator.open(notice.address_ct, places.account(notice.account_id, "address")).decode()
    try:
        address = parse_address(text)
    except AddressError:
        return "The address cannot be written to."
    await _ensure(connection, deps, notice, address, now)
    email = EmailAsked((address.addr_spec,), tags={"category": CATEGORY}, template=notice.template,
                       variables=_variables(deps, notice))  # fmt: skip
    asked = Ask(Caller(system_tenant=notice.system), (email,), "POST", "/people", idempotency=_once(deps, notice))
    answer = await deps.gate.submit(asked)
    return f"{answer.refusal.code}: {answer.refusal.sentence}" if isinstance(answer, Refused) else None


async def _ensure(connection: Connection, deps: Deps, notice: Notice, address: Address, now: datetime) -> None:
    """Whoever has an account is a recipient of the system tenant."""
    assert notice.system is not None
    assert notice.keyset is not None
    index = deps.secrets.blind_index().index(address.normal)
    if await people.find(connection, notice.system, index) is not None:
        return
    person = ids.uuid7(now)
    key, wrapped = deps.keyring.tenant(notice.system, notice.keyset).new_person_key(person)
    sealed = key.seal(address.addr_spec.encode(), places.address(person))
    salt = secrets.token_bytes(32)
    await people.add(connection, people.NewPerson(person, notice.system, index, sealed, wrapped, salt, now))


def _variables(deps: Deps, notice: Notice) -> dict[str, str]:
    """What a pack of cli/demo/packs/system asks for; times in the reader's zone, ids as the pages have them."""
    given: dict[str, Any] = json.loads(notice.variables)
    told = {"name": _name(deps, notice.name_ct, notice), "link": deps.public_url + _path(given)}
    for name in ("ends", "due"):
        if name in given:
            told[name] = _told(datetime.fromisoformat(given[name]), notice.timezone or "UTC")
    if "account" in given:
        told["who"] = _name(deps, notice.subject_ct, notice, given["account"])
        told["why"] = _WHY.get(given["why"], given["why"])
    if "anomaly" in given:
        told["what"] = given["what"][:_LONGEST_FINDING]
        told["how"] = (_LATE if given["about"] == "overdue" else "") + _HOW[given["action"]]
    if "cases" in given:
        told |= {"what": _cases(given["cases"], given["missed"]), "lines": given["lines"]}
    if "claims" in given:
        told |= {"what": _claims(given["claims"], given["fails"]), "lines": given["lines"]}
    if "duty" in given:
        told |= {"what": f"{given['duty']} is {'overdue' if given['late'] else 'due soon'}",
                 "how": _OVERDUE if given["late"] else _SOON}  # fmt: skip
    if "domain" in given:
        told["what"] = given["what"][:_LONGEST_FINDING]
    return told | {name: given[name][:_LONGEST_NAME] for name in ("left", "client") if name in given}


def _cases(found: int, missed: int) -> str:
    """2 cases need you, 1 of them overdue"""
    needs = "1 case needs you" if found == 1 else f"{found:,} cases need you"
    if not missed:
        return needs
    return f"{needs}, and is overdue" if found == 1 else f"{needs}, {missed:,} of them overdue"


def _claims(turned: int, fails: int) -> str:
    """2 promises stand otherwise, 1 of them fails"""
    stands = "1 promise stands otherwise" if turned == 1 else f"{turned:,} promises stand otherwise"
    if turned == 1:
        return "A promise does not hold" if fails else stands
    return f"{stands}, {fails:,} of them {'fails' if fails == 1 else 'fail'}" if fails else stands


def _path(given: dict[str, Any]) -> str:
    if "claims" in given:
        return f"/claims/{given['claim']}" if given["claim"] else "/claims"
    if "cases" in given:
        return f"/incidents/{given['case']}" if given["case"] else "/incidents"
    return next((path.format(**given) for name, path in _PATHS.items() if name in given), "/")


def _name(deps: Deps, sealed: bytes | None, notice: Notice, account: str = "") -> str:
    whose = UUID(account) if account else notice.account_id
    return deps.operator.open(sealed, places.account(whose, "name")).decode()[:_LONGEST_NAME] if sealed else "Somebody"


def _once(deps: Deps, notice: Notice) -> tuple[bytes, bytes]:
    """The gate's own idempotency keeps it to one mail a notice."""
    secret = deps.secrets.token_keys(Purpose.FINGERPRINT)[0]
    what = b"access-notice\0" + notice.id.bytes
    return hmac.digest(secret, what, "sha256"), hmac.digest(secret, b"fingerprint\0" + what, "sha256")


def _told(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%d %B %Y, %H:%M} ({zone})".lstrip("0")
