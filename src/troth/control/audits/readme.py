"""Audits: README.txt of a bundle: what it is, what is in it, how it is verified, and what it cannot prove."""

from datetime import UTC, datetime, timedelta

from troth.ledger.bundle import Bundle

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT = """Evidence of {title}, for an auditor
{rule}

Programme   {code} (profile {profile})
Period      {begins} to {ends} (UTC; the end is not of it)
Made        {made}

This file needs nothing but itself and the public key of the ledger:

    troth verify bundle FILE --key VKEY

The key is to come from elsewhere than this file: from a receipt or a checkpoint that you hold, or from the operator by
another way. In the bundle it is {vkey}

What is in it

    manifest.json            what is counted and drawn, and the SHA-256 of every other file; signed
    trust.json               what the programme promised when this was made, signed by itself
    ledger/hashes.bin        the hash (32 bytes) of each of {range} entries, from {first} on
    ledger/entries.jsonl     those of this programme or of the house: {shown} of the period, {outside} of just
                             before or after it
    claims/promises.json     each promise, the laws and standards it answers to, and its states over the period
    claims/history.jsonl     each of the {tellings} times that a state was told, with what was seen
    populations/             messages and suppressions of the period, by id and time
    samples/messages/        receipts of the messages drawn, without addresses and without what was said
    evidence/                what people handed in: facts, and the files that are public

Populations, and how many were drawn of each

{populations}

What is proved: that the entries of the range are all that the ledger had between two signed checkpoints, one of before
the period and one of after it, so that none was left out; that each entry shown is one of them; that each state was
told then, of what was seen; that the members drawn are those which chance drew, from a number that nobody could choose.

What is not: that an entry shown by its hash alone is another client's, and that the lists of messages and suppressions
have every member, and what was so before the period, are the signer's word. The house's own entries name the clients
of every programme by their codes. Messages are kept for as long as the client's policy says; what was removed
before this was made is not listed. Of a person whose data was erased nothing can be read here, or anywhere.
"""


def text(bundle: Bundle) -> str:
    told, counts = bundle.range, bundle.entries
    title = bundle.programme.title
    names = "\n".join(
        f"    {each.name:<14}{each.size:>10,} of which {len(each.drawn)} drawn" for each in bundle.populations
    )
    return _TEXT.format(
        title=title, rule="=" * len(f"Evidence of {title}, for an auditor"), code=bundle.programme.code,
        profile=bundle.programme.profile, begins=_at(bundle.begins), ends=_at(bundle.ends), made=_at(bundle.made_at),
        vkey=bundle.vkey, range=f"{counts.range:,}", first=told.start, shown=f"{counts.shown:,}",
        outside=f"{counts.outside:,}",
        tellings=f"{counts.tellings:,}", populations=names,
    )  # fmt: skip


def _at(micros: int) -> str:
    return f"{_EPOCH + timedelta(microseconds=micros):%Y-%m-%d %H:%M:%S} UTC"
