"""Claims: how long records are kept: what policy says against what is promised, and that nothing is gone early."""

from collections.abc import Iterator
from datetime import timedelta

from troth.control.trust.catalogue import claim
from troth.control.trust.look import Look, Programme
from troth.rules.profile import load_profile


def kept(look: Look, programme: Programme | None, name: str, field: str) -> Iterator[str]:
    """Each client's policy keeps the record as long as its programme promises."""
    for each in (programme,) if programme else look.programmes:
        wanted = promised(name, each, field)
        for tenant in look.of_programme(each):
            policy = look.policy(tenant)
            if policy is None or getattr(policy.records, field) < wanted:
                yield f"the policy of {tenant.id} keeps it for less than {wanted} days"


def promised(name: str, programme: Programme, field: str) -> int:
    """Days, as its profile was shipped; 0 where it does not promise the record."""
    found = claim(name)
    if found is None or not found.promised_by(programme.profile):
        return 0
    days: int = getattr(load_profile(programme.profile).policy.records, field)
    return days


def weeks(look: Look, table: str) -> Iterator[str]:
    """Each week that has messages' partition has this one, since the first there is; and next week's is there."""
    there = {name.removeprefix(f"{table}_") for name in (part.name for part in look.schema.partitions(table))}
    others = {part.name.removeprefix("email_") for part in look.schema.partitions("email")}
    ahead = (look.now + timedelta(days=7)).isocalendar()
    if f"{ahead.year}w{ahead.week:02}" not in there:
        yield f"there is no partition of {table} for next week"
    for gone in sorted(week for week in others - there if there and week > min(there)):
        yield f"the partition of {table} of week {gone} is gone"
