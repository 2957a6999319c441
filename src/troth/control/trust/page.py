"""Claims: the page docs/claims.md: what a control is, the states, and every claim with its control."""

from collections.abc import Iterator

from troth.control.trust.catalogue import Claim, claims
from troth.control.trust.controls import control_of

_HEAD = """# Claims

What the operator promises of its sending, and how the platform knows whether it holds. The catalogue is
`src/troth/control/trust/claims.toml`; a *control* is the code that decides, one file each, in `controls/` beside it.

A claim's sentence is a template: each number in it is that of the policy in force (docs/policies.md), the promise and
the operator's level together, and of what the whole installation shares the strictest programme's. Two people approve a
change of the policy, and the sentence changes in the same transaction (`control/trust/promised.py`). A profile that
promises something else has its own sentence. No number stands in a template but in names such as TLS 1.3
(`control/trust/wording.py`).

```sh
troth claims list --json
troth claims check EML-2 --json
troth claims explain EML-2
```

`check` runs the controls now, keeps what they found (`claim_state`, `claim_history`) and ends with 1 when a promised
claim fails. `list` and `explain` show what was kept.

## How they are watched

`troth up` runs `troth claims check --due` once a minute; where processes are started one by one, let a timer do so.
One process at a time looks (an advisory lock), at what is *due*: what was never looked at, what was looked at longer
ago than a third of its control's interval (a twelfth, where it fails or is stale), what another version of Troth
looked at, what is said to have been looked at in the future, and what a person asked for at `/claims`. After its
interval, an hour for most, a claim without a look is stale.

Each control is run in a process apart (`control/trust/apart.py`), on a connection of its own, with 15 seconds for
itself and 100 for all of a check; one child works through the controls, so that they share what they read, and
another goes on where one died. What is looked at the longest ago comes first, and what is not begun in time keeps its
age. One that crashes, hangs or answers nonsense has *no data yet* with its error, never
*holds*; where its claim failed before, it fails still.

The ledger hears of each change of a state, of each first look of a version of Troth, and once a day (UTC) that a
state stands (`trust:claim:check`). Each row of `claim_history` has such an entry that is its own and holds the whole
row; `claim_state` stands only as the newest row says, whoever writes (a trigger). `troth verify` compares every row
with its entry, and every state with its newest row: an edit of either table is found, but for the evidence and the
time of the newest look (`claim_state.evidence`, `checked_at`) between two entries; a time in the future is found
always. Rows that are older than this have entries that do not name them: they are paired in their order.

A *turn* is a state that follows another; a first look is none, nor is the first of a new version unless what held
fails by it. Whoever has
the role that answers for the claim (`owner`; where nobody has it, the owners) is told by mail (`claim-notice`): one
letter of all that turned, at most one an hour. Where a policy says so (`trust.fails_opens_incident`), a claim that
turns to fail opens an incident, one at a time for a claim and a programme; people close it. The pages `/claims` show
all of it.

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

- **It compares the database with the package.** Columns, constraints, triggers, policies and functions' heads are
  compared word by word with `control/trust/shape.txt`, functions' bodies with the SQL files, grants with
  `control/ownership`: all of them ship with this version, and none is a record inside the database.
- **It compares rows with the ledger** (`row_fact_v1`): approvals and decisions with who, which account and when;
  stopped versions, comments, stops and releases, overrides, consents, opt-outs that were taken back, anomalies,
  sessions, and what claims stood at. The hashes that the newest batches seal, and an older stretch in turn, are looked
  for among the events.
- **It remembers** what was well at its last check: the ledger's size and root, the suppression list's counts and the
  digest of the rows that were settled then, and that there was a witness file.
- **It tries to break the promise.** `claim_attempt_v1` makes each attempt as the tables' owner, which is more than any
  run-time role may do, and undoes it whatever comes of it; the refusal must have the right SQLSTATE.
- **It rehearses the rules.** The gate's chain and the retry rules are shown cases that they must refuse.
- **It reads what happened.** Counts over all clients (`claim_fact_v1`), and samples of messages opened with the keys:
  the newest 300 of each client, 60 from all over the 90 days, and up to 200 that bounced or were put off.

What it cannot see: a superuser who changes the running program itself, or PostgreSQL's own code; and between two checks
something that is broken, used and mended without a trace. The ledger is for the traces. Nor what nothing tells the
ledger of: a password's hash that a superuser replaces, a session of `troth` itself that is written by hand, who wrote
on a draft, and a request that made no email.

`claim_fact_v1` looks at the newest 150,000 messages. Of a ledger of more than 98,304 entries the newest blocks are
walked at each check and one older block of 32,768 in turn; `troth verify` walks it whole. Each statement has 8 seconds.

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
                        "| claim | promise, as the profiles ship it | scope | kind | who answers for it | control |",
                        "|---|---|---|---|---|---|")  # fmt: skip
        yield _row(claim)


def _row(claim: Claim) -> str:
    control = control_of(claim.id)
    says = _promise(claim).replace("|", "\\|")
    how = control.how.replace("|", "\\|") if control else "none yet"
    return f"| {claim.id} | {says} | {claim.scope} | {claim.kind} | {claim.owner} | {how} |"


def _promise(claim: Claim) -> str:
    """Each sentence once, after the profiles that promise it so."""
    found: dict[str, list[str]] = {}
    for profile in claim.profiles:
        found.setdefault(claim.shipped(profile).replace("\N{NO-BREAK SPACE}", " "), []).append(profile)
    return " ".join(f"*{', '.join(profiles)}*: {sentence}" for sentence, profiles in found.items())
