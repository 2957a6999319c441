"""The rules' fixed cast: one message that every check accepts, to be made worse one fact at a time."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from troth.rules.facts import (
    CLEAR,
    Category,
    Domain,
    Email,
    Facts,
    FieldProblem,
    Key,
    Rate,
    Recipient,
    Template,
    Tenant,
)
from troth.rules.policy import Policy, from_document, to_document
from troth.rules.profile import load_profile

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
POLICY = load_profile("property").policy
SECRET_ADDRESS = "noor.secret@recipient.example"


def rates(**used: int) -> tuple[Rate, ...]:
    """Five counters with room; `used` by scope_window."""
    return tuple(
        Rate(scope, f"{scope}-1", window, 1_000, used.get(f"{scope}_{window}", 0), 1, NOW + timedelta(minutes=30))
        for scope, window in [
            ("key", "hour"),
            ("tenant", "hour"),
            ("tenant", "day"),
            ("template", "hour"),
            ("recipient", "day"),
        ]
    )


GOOD = Facts(
    now=NOW,
    tenant=Tenant("ten_1", "active", addressed=True),
    key=Key("key_1", "live", frozenset({"rent-reminder"})),
    category=Category(
        "rent-reminder",
        "Rent reminder",
        "snap_1",
        3,
        True,
        "rent@mail.hijaaz.example",
        "mail.hijaaz.example",
        lawful_basis="contract",
        named=True,
    ),
    template=Template("rent", "snap_2", 2, True, True),
    domain=Domain("mail.hijaaz.example", True, (), NOW - timedelta(minutes=5), NOW - timedelta(minutes=5)),
    email=Email("rent@mail.hijaaz.example", 1, 4_000, raw=False, variable_bytes=200),
    recipient=Recipient("verified", None, "confirmation-link", NOW - timedelta(days=9), "to[0]"),
    suppression=CLEAR,
    opted_out=False,
    rates=rates(),
    policy=POLICY,
)


def but(facts: Facts = GOOD, **changes: object) -> Facts:
    """The facts with changes; a dict changes fields of that part."""
    parts = {
        name: replace(getattr(facts, name), **change) if isinstance(change, dict) else change
        for name, change in changes.items()
    }
    return replace(facts, **parts)


def policy(**changes: object) -> Policy:
    """The property promise with section__field=value changes (looser ones too: this is another promise)."""
    doc = to_document(POLICY)
    for path, value in changes.items():
        section, _, name = path.partition("__")
        doc[section][name] = value
    return from_document(doc)


def problem(
    field: str = "variables.amount", code: str = "bad-type", hint: str = "amount must be a number"
) -> FieldProblem:
    return FieldProblem(field, code, hint)
