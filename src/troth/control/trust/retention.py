"""Claims: how long records are kept: what policy says against what is promised, and that nothing is gone early."""

import re
from collections.abc import Iterator
from datetime import timedelta

from troth.control.trust.catalogue import claim
from troth.control.trust.look import Look, Programme

_UNITS = {"day": 1, "month": 30, "year": 365}
_FOREVER = 3650  # days that stand for "indefinitely": nothing deletes it
_SPAN = re.compile(r"(\d+) (day|month|year)s?")


def kept(look: Look, programme: Programme | None, name: str, field: str) -> Iterator[str]:
    """Each client's policy keeps the record as long as its programme promises."""
    for each in (programme,) if programme else look.programmes:
        wanted = promised(name, each)
        for tenant in look.of_programme(each):
            policy = look.policy(tenant)
            if policy is None or getattr(policy.records, field) < wanted:
                yield f"the policy of {tenant.id} keeps it for less than {wanted} days"


def promised(name: str, programme: Programme) -> int:
    """Days; 0 where a profile promises the record and no time."""
    found = claim(name)
    words = found.values.get(programme.profile, "") if found else ""
    if "indefinitely" in words:
        return _FOREVER
    span = _SPAN.search(words)
    return int(span[1]) * _UNITS[span[2]] if span else 0


def weeks(look: Look, table: str) -> Iterator[str]:
    """Each week that has messages' partition has this one, since the first there is; and next week's is there."""
    there = {name.removeprefix(f"{table}_") for name in (part.name for part in look.schema.partitions(table))}
    others = {part.name.removeprefix("email_") for part in look.schema.partitions("email")}
    ahead = (look.now + timedelta(days=7)).isocalendar()
    if f"{ahead.year}w{ahead.week:02}" not in there:
        yield f"there is no partition of {table} for next week"
    for gone in sorted(week for week in others - there if there and week > min(there)):
        yield f"the partition of {table} of week {gone} is gone"
