"""Claims: the page docs/claims.md: what a control is, the states, and every claim with its control."""

from collections.abc import Iterator

from troth.control.trust.catalogue import Claim, claims
from troth.control.trust.controls import control_of

_HEAD = """# Claims

What the operator promises of its sending, and how the platform knows whether it holds. The catalogue is
`src/troth/control/trust/claims.toml`; a *control* is the code that decides, one file each, in `controls/` beside it.

```sh
troth claims list --json
troth claims check EML-2 --json
troth claims explain EML-2
```

`check` runs the controls now, keeps what they found (`claim_state`, `claim_history`) and ends with 1 when a promised
claim fails. `list` and `explain` show what was kept. The ledger hears of each change of a state, and once a day that it
stands (`trust:claim:check`). `troth up` does so every twenty minutes; where
processes are started one by one, let a timer run it: after an hour a claim is stale.

## States

| state | means |
|---|---|
| holds | its control looked and found nothing wrong |
| fails | its control found something wrong; the sentences say what |
| stale | its evidence is too old: not checked in time, or the DNS or the sequencer has been silent for too long |
| no data yet | there is nothing to look at yet, or the control could not look; it never holds by accident |
| no control yet | nothing decides yet |
| not promised | no programme, or not this one, promises it |

A claim of several programmes has the worst of their states.

## How a control knows

- **It compares the database with the package.** Functions, triggers, grants, policies and roles are compared with the
  SQL files and `control/ownership` that ship with this version, never with a record inside the database.
- **It tries to break the promise.** `claim_attempt_v1` makes each attempt as the tables' owner, which is more than any
  run-time role may do, and undoes it whatever comes of it; the refusal must have the right SQLSTATE.
- **It rehearses the rules.** The gate's chain and the retry rules are shown cases that they must refuse.
- **It reads what happened.** Counts over all clients (`claim_fact_v1`), and samples of messages opened with the keys:
  the newest 300 of each client, 60 from all over the 90 days, and up to 200 that bounced or were put off.

What it cannot see: a superuser who changes the running program itself, or PostgreSQL's own code; and between two checks
something that is broken, used and mended without a trace. The ledger is for the traces.

`claim_fact_v1` looks at the newest 150,000 messages. Of a ledger of more than 98,304 entries the newest blocks are
walked at each check and one older block of 32,768 in turn; `troth verify` walks it whole. Each check has 25 seconds in
all and 8 a statement.

## The claims

"""


def markdown() -> str:
    """The page docs/claims.md."""
    return _HEAD + "\n".join(_rows()) + "\n"


def _rows() -> Iterator[str]:
    section = ""
    for claim in claims():
        if claim.section != section:
            section = claim.section
            yield from ("" if claim is claims()[0] else "\n", f"### {section.capitalize().replace('-', ' ')}", "",
                        "| claim | promise | scope | kind | property | construction | retail | control |",
                        "|---|---|---|---|---|---|---|---|")  # fmt: skip
        yield _row(claim)


def _row(claim: Claim) -> str:
    control = control_of(claim.id)
    values = (claim.values.get(profile, "").replace("|", "\\|") for profile in ("property", "construction", "retail"))
    says = claim.says.replace("{value}", "…").replace("|", "\\|")
    how = control.how.replace("|", "\\|") if control else "none yet"
    return f"| {claim.id} | {says} | {claim.scope} | {claim.kind} | {' | '.join(values)} | {how} |"
