"""Three profiles side by side: `make profiles` runs the same 200 messages under each and prints what came of them.

Ends with 0 only if each part came out as the claims say it must: different where they differ, the same where they do not.
"""

import asyncio
import sys
import tomllib
from importlib.resources import files

from tests.profiles.script import SCRIPT, cast
from tests.races.ground import ground

from troth.flow.gate.accept import Gate
from troth.store.connection import connect

PROFILES = ("property", "construction", "retail")
_ALL = "20 queued"
_HOLD, _FREE = "20 held; {}", "20 queued; {}"
_FULL = "20 soft_spent, suppressed, retries after {} h"
# What the claims of docs/claims.md make of each part: property, construction, retail.
SAYS: dict[str, tuple[str, str, str]] = {
    "plain mail": (_ALL, _ALL, _ALL),
    "five recipients of each pathway": (
        "15 pathway-not-accepted, 5 queued",  # RCP-1: a confirmation link alone
        "15 queued, 5 pathway-not-accepted",  # link, invitation, agreement
        "15 pathway-not-accepted, 5 queued",  # validation in several steps alone
    ),
    "recipients who never confirmed": ("20 recipient-unverified",) * 3,
    "recipients on the list": ("20 suppressed",) * 3,
    "one template, one recipient, 30 times": (
        "25 recipient-limit-reached, 5 queued",
        "25 queued, 5 recipient-limit-reached",
        "24 queued, 6 recipient-limit-reached",
    ),
    "addresses that do not exist": ("10 hard, suppressed at once",) * 3,
    "mailboxes that stay full": (_FULL.format("1, 7, 43"), _FULL.format("0.5, 3.5, 21.5"), _FULL.format("1, 7, 43")),
    "a day at 180 % of the week": (_HOLD.format("stop-new"), _FREE.format("nothing"), _FREE.format("nothing")),
    "a day at 250 % of the week": (_HOLD.format("stop-new"), _HOLD.format("stop-delivery"), _FREE.format("slow")),
    "20 more after 990 in an hour": (_ALL, _ALL, "10 queued, 10 rate-limited"),
}


def claims() -> dict[str, dict[str, str]]:
    text = files("troth.control.trust").joinpath("claims.toml").read_text("utf-8")
    return {each["id"]: each for each in tomllib.loads(text)["claim"]}


async def play() -> dict[str, dict[str, str]]:
    """part -> profile -> what came of it."""
    found: dict[str, dict[str, str]] = {part.name: {} for part in SCRIPT}
    with ground() as at:
        for profile in PROFILES:
            gate = Gate(lambda name: connect(at.database.conninfo(), name), at.operator.keyring, at.operator.secrets)
            await gate.start()
            try:
                made = cast(at, profile, gate)
                for part in SCRIPT:
                    found[part.name][profile] = await part.run(made)
            finally:
                await gate.stop()
    return found


def told(found: dict[str, dict[str, str]]) -> tuple[list[str], int]:
    """The table, and how many cells are not what the claims say."""
    lines, wrong, promised = [], 0, claims()
    for part in SCRIPT:
        lines.append(f"{part.name} ({part.messages} messages)")
        for profile, says in zip(PROFILES, SAYS[part.name], strict=True):
            got = found[part.name][profile]
            wrong += got != says
            words = "; ".join(f"{claim}: {promised[claim].get(profile, 'not promised')}" for claim in part.claims)
            mark = "  " if got == says else "! "
            lines.append(f"  {mark}{profile:<13} {got:<62} {words}".rstrip())
            if got != says:
                lines.append(f"    {'':<13} must be: {says}")
    return lines, wrong


def main() -> int:
    lines, wrong = told(asyncio.run(play()))
    print("\n".join(lines))
    messages = sum(part.messages for part in SCRIPT)
    print(f"\n{messages} messages under each of {len(PROFILES)} profiles: {wrong} cells are not what the claims say.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
