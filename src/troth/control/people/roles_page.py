"""People: docs/roles.md, written from permissions.toml: what each role is for, and who may do what, where."""

from collections.abc import Iterator

from troth.control.people.permissions import (
    CLIENT_ROLES,
    HOUSE,
    OPERATOR_ROLES,
    SCOPES,
    Action,
    Permission,
    actions,
    permissions,
)
from troth.rules.profile import PROFILES

WHAT = {
    "owner": "answers for the installation: programmes, clients, everybody's access",
    "security": "answers for access: grants, sign-on, sessions, keys, reviews",
    "deliverability": "keeps mail arriving: domains, policies, templates",
    "compliance": "keeps promises: policies, overrides, people, reviews",
    "ops-admin": "runs a client's sending: releases, keys, webhooks",
    "support": "helps: sees states and causes, and nothing of what was said",
    "auditor": "reads all records and changes nothing",
    "admin": "runs the client firm: people, keys, what is sent",
    "author": "writes templates and categories",
    "approver": "approves what others wrote",
    "developer": "has keys and webhooks",
    "viewer": "looks",
}
_INTRO = """# Who may do what

Rights are data: one row an action in `permissions.toml`. From it come the checks of the pages, the table `permission`
that the database's own functions ask, this page, and the tests: every page and API path by every role, in their own
client, in another, and in none.

A role sees only what it may use; what is forbidden reads as what is not there. A person has one role on one side.
Staff look at one client at a time: what they may there is the middle column, and what they may where no client is
looked at is the last one.

- **²** only in a session with a second factor. For the operator's staff that is everything but their own account.
- **named** only the two named individuals of that client (a change of kind `designation`).
- Nobody approves what they wrote a word of, whatever their role; the database refuses it.
- Some pages also want a proof (password or factor) of the last ten minutes.
"""
_CONTENT = """## What was said, and what happened

`message:content` is the line between them. Without it (support, auditor, security, ops-admin) a person sees a message's
states and times, reply codes, the names and verdicts of the gate's checks, and the ledger's proof. They do not see the
recipient's address, the headers and subject, the conversation with the next hop, a reply's text, or the values that
the checks saw: nothing that is sealed under the recipient's key is shown. Lists name messages by their id.

- Whoever has `message:content` or `suppression:read` may look up an address that they type, in messages and in
  suppressions; a link to such a search does not tell the address to somebody without `message:content`. Others find
  messages by id alone.
- Addresses on the list of suppressions are shown with `message:content`; others see each entry's index.
- A receipt (`message:receipt`) shows what its taker may see: without `message:content` neither the recipient nor
  what was said.
"""


def markdown() -> str:
    return "\n".join((_INTRO, *_roles(), _CONTENT, *_table(), *_profiles()))


def _roles() -> Iterator[str]:
    yield "## Roles\n\n| role | of | what for |\n|---|---|---|"
    for side, roles in (("the operator", OPERATOR_ROLES), ("a client", CLIENT_ROLES)):
        for role in roles:
            yield f"| {role} | {side} | {WHAT[role]} |"
    yield ""


def _table() -> Iterator[str]:
    yield "## Actions\n"
    yield "| action | what | a client's own people | staff, for a client | staff, for the house |"
    yield "|---|---|---|---|---|"
    for name, action in actions().items():
        cells = [
            _roles_of(name, "property", "own"),
            _roles_of(name, "property", "clients"),
            _roles_of(name, HOUSE, "house"),
        ]
        yield f"| `{name}` | {action.what} | {' | '.join(cells)} |"
    yield "\nClients of the profile `property`; where another profile differs stands below.\n"


def _profiles() -> Iterator[str]:
    yield "## Where a profile differs\n\n| profile | action | a client's own people | staff, for a client |"
    yield "|---|---|---|---|"
    for profile in PROFILES:
        for name, action in actions().items():
            given = [_roles_of(name, profile, scope) for scope in ("own", "clients")]
            if profile != "property" and _differs(name, action, profile):
                yield f"| {profile} | `{name}` | {' | '.join(given)} |"
    yield "\n`retail` recommends a second factor to a client's administrators where the others demand it."


def _differs(name: str, action: Action, profile: str) -> bool:
    """By more than a second factor, of which the last line tells."""
    return profile in action.profile or any(
        one.named for key, one in permissions().items() if key[:2] == (profile, name)
    )


def _roles_of(action: str, profile: str, scope: str) -> str:
    found = [(role, permissions().get((profile, action, scope, role))) for role in SCOPES[scope]]
    there = [(role, cell) for role, cell in found if cell is not None]
    if not there:
        return "–"
    if len(there) == len(SCOPES[scope]) and len({_mark(cell) for _, cell in there}) == 1:
        return f"everybody{_mark(there[0][1])}"
    return ", ".join(f"{role}{_mark(cell)}" for role, cell in there)


def _mark(cell: Permission) -> str:
    return f"{'²' if cell.second else ''}{' (named)' if cell.named else ''}"
