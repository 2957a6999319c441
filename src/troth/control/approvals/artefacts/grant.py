"""Four eyes, kind `grant`: a person's account, role and credentials; the subject is the account's id."""

import base64
import re
from uuid import UUID

import msgspec

from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.control.people.permissions import CLIENT_ROLES, OPERATOR_ROLES

_HEX_32 = re.compile(r"[0-9a-f]{64}\Z")
_HEX_SALT = re.compile(r"(?:[0-9a-f]{2}){16,64}\Z")


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sealed columns in base64, hashes in hex. The last three, all or none, are credentials for the command line;
    whoever has none sets a password with an invitation's link. `retired`: the access ends.
    """

    human: UUID
    role: str
    name_ct: str
    address_ct: str
    address_index: str
    device_hash: str | None = None
    passphrase_salt: str | None = None
    passphrase_hash: str | None = None
    retired: bool = False


def check(asked: Asked) -> list[Problem]:
    given = asked.read(Grant)
    roles = CLIENT_ROLES if asked.tenant else OPERATOR_ROLES
    problems = []
    if given.role not in roles:
        problems.append(Problem("role", "unknown", f"The roles here are {', '.join(roles)}."))
    problems += _credential_problems(given)
    return problems + [
        Problem(name, "value", "This is not sealed under the operator's keyset, in base64.")
        for name in ("name_ct", "address_ct")
        if not _is_sealed(getattr(given, name))
    ]


def _credential_problems(given: Grant) -> list[Problem]:
    hashes = {"address_index": given.address_index}
    if given.device_hash is not None or given.passphrase_hash is not None or given.passphrase_salt is not None:
        hashes |= {"device_hash": given.device_hash or "", "passphrase_hash": given.passphrase_hash or ""}
        if not _HEX_SALT.match(given.passphrase_salt or ""):
            return [Problem("passphrase_salt", "value", "This is at least 16 bytes in lower-case hex.")]
    return [
        Problem(name, "value", "This is 32 bytes in lower-case hex.")
        for name, one in hashes.items()
        if not _HEX_32.match(one)
    ]


def _is_sealed(text: str) -> bool:
    try:
        return base64.b64decode(text, validate=True)[:1] == b"\x01"
    except ValueError:
        return False
