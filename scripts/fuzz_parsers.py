"""What comes from strangers, under hypothesis for as long as told: `make fuzz MINUTES=10` prints examples and crashes.

Every reader of letters and reports gets real letters (the shared corpora, where they are) cut, spliced and spoilt. A
crash is an exception that the reader does not promise, or more than SLOW seconds of the processor for one letter.
"""

import argparse
import base64
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from troth.mail import bounce, dmarc, feedback_report, parts, relay_mailgun, relay_ses, relay_sns, tlsrpt
from troth.mail.dmarc_words import Unreadable
from troth.mail.relay_json import BodyError, read_object
from troth.mail.relay_sns import SnsError
from troth.outside import reports

SLOW = 2.0  # seconds
ROUND = 200  # examples between two looks at the clock
_SEED = 60_000  # octets of a letter that are spoilt
CORPORA = Path(__file__).resolve().parents[1].parent / "shared" / "corpora"
_FOLDERS = ("mime", "bounce-sisimai", "bounce-flufl", "arf", "dmarc-tlsrpt", "webhooks")
_BOUNCE = b"""From: MAILER-DAEMON@x
Content-Type: multipart/report; boundary=b

--b

<a@b.example>: 550 5.1.1 no
--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; a@b.example
Action: failed
Status: 5.1.1

--b--
"""
_DMARC = b"""<feedback><report_metadata><org_name>x</org_name></report_metadata>
<record><row><count>1</count></row></record></feedback>"""
_TLS = b'{"organization-name": "x", "policies": [{"policy": {"policy-type": "sts"}, "summary": {}}]}'
_OWN = (_BOUNCE, _DMARC, _TLS)
_TOKENS = (
    b"\n", b"\r", b"\r\n", b"\n\n", b"--", b"\x00", b"\xff", b'"', b"\\", b"<", b">", b"(", b"[" * 50, b"{" * 50,
    b"=?utf-8?q?", b"?=", b"Content-Type: multipart/mixed; boundary=b\n\n--b\n", b"Content-Type: message/rfc822\n\n",
    b"Content-Transfer-Encoding: base64\n", b"Content-Type: text/plain; charset=", b"utf-7", b"punycode", b"@",
    b"Final-Recipient: ", b"Feedback-Type: abuse\n", b"&a;", b"<!DOCTYPE a [", b"]]>", b"<feedback>", b"1e999", b"-1",
    b"99999999999999999999", b"\\u0000", b"\x1f\x8b\x08", b"PK\x03\x04", b"a@b.example", b"550 5.1.1 ",
)  # fmt: skip

# Repeated for LONG octets: what a pattern that looks back takes minutes for.
RUNS = (
    b" ", b"\t", b"\r", b"\n", b"\r\n", b" \n", b"\n>", b"> ", b"<", b"<a ", b"</", b"<!--", b"=", b"=?a?q?", b'"',
    b"(", b"[", b"{", b"\\", b"-", b"--\n", b".", b"a.", b"a", b"a ", b"a\t", b"a@", b"@", b":", b"a: ", b"to: ",
    b"550 ", b"5.1.1 ", b"rfc822=", b"https://", b"message-id: <", b"feedback-type:", b"&", b";", b",", b"/", b"*",
)  # fmt: skip
LONG = 65_536


def _parts(octets: bytes) -> None:
    for part in parts.read(octets).walk():
        part.text()


def _promised(read: Callable[[bytes], object], octets: bytes) -> None:
    """What a reader says of the unreadable is an answer, not a crash."""
    try:
        read(octets)
    except (Unreadable, BodyError, SnsError):
        return


def _ses(octets: bytes) -> None:
    relay_ses.facts(read_object(octets))


PARSERS: dict[str, Callable[[bytes], object]] = {
    "parts": _parts,
    "bounce": bounce.read,
    "feedback": feedback_report.reports,
    "dmarc": partial(_promised, dmarc.read),
    "tlsrpt": partial(_promised, tlsrpt.read),
    "report": partial(_promised, partial(reports.read, recovering=lambda _text: None)),
    "mailgun": partial(_promised, relay_mailgun.read_json),
    "ses": partial(_promised, _ses),
    "sns": partial(_promised, relay_sns.read),
}


def seeds() -> list[bytes]:
    """Letters and reports to spoil: the corpora's beginnings, and a few of our own."""
    files = sorted(path for name in _FOLDERS for path in (CORPORA / name).rglob("*") if path.is_file())
    return [*_OWN, *(octets[:_SEED] for path in files for octets in _letters(path))]


def _letters(path: Path) -> list[bytes]:
    """The file, or the payload of each of its lines."""
    if path.suffix != ".jsonl":
        return [path.read_bytes()]
    return [json.dumps(json.loads(line).get("payload")).encode() for line in path.read_text().splitlines()]


def spoilt(letters: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """A letter after some edits, each of them at a place between its begin (0) and end (1)."""
    place = st.floats(0, 1)
    edit = st.tuples(
        st.sampled_from(["cut", "twice", "put", "run", "splice", "flip"]), place, place,
        st.sampled_from(_TOKENS + RUNS) | st.binary(max_size=9), st.sampled_from(letters),
    )  # fmt: skip
    return st.builds(_edited, st.sampled_from(letters), st.lists(edit, max_size=8))


def _edited(octets: bytes, edits: Sequence[tuple[str, float, float, bytes, bytes]]) -> bytes:
    for kind, first, second, token, other in edits:
        at, to = sorted((int(first * len(octets)), int(second * len(octets))))
        match kind:
            case "cut":
                octets = octets[:at] + octets[to:]
            case "twice":
                octets = (octets[:to] + octets[at:])[: 2 * _SEED]
            case "put":
                octets = octets[:at] + token + octets[at:]
            case "run" if len(octets) < 2 * _SEED:
                octets = octets[:at] + token * (LONG // max(len(token), 1)) + octets[at:]
            case "splice":
                octets = octets[:at] + other[int(second * len(other)) :]
            case _:
                octets = octets[:at] + bytes(255 - one for one in octets[at : at + 3]) + octets[at + 3 :]
    return octets


def one(read: Callable[[bytes], object], octets: bytes) -> None:
    """Raises what the reader raises, and AssertionError where it takes too long."""
    begun = time.process_time()
    read(octets)
    taken = time.process_time() - begun
    if taken > SLOW:
        raise AssertionError(f"{taken:.1f} s for {len(octets):,} octets")


def play(minutes: float, start: int, names: Sequence[str]) -> tuple[Counter[str], list[str]]:
    """Rounds of each parser in turn until the time is up: how many examples, and the crashes, each kind once."""
    letters, until = seeds(), time.monotonic() + 60 * minutes
    counts, crashes, number = Counter[str](), dict[str, str](), start
    while time.monotonic() < until:
        for name in names:
            number += 1
            if told := _round(name, letters, number, counts, until):
                crashes.setdefault(told.partition("\n")[0], told)
    return counts, list(crashes.values())


def _round(name: str, letters: Sequence[bytes], number: int, counts: Counter[str], until: float) -> str:
    """A crash or nothing: its exception in the first line, where, and the smallest letter that makes it."""
    last, crashed = b"", False

    @seed(number)
    @settings(max_examples=ROUND, deadline=None, database=None, phases=(Phase.generate, Phase.shrink),
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(spoilt(letters))
    def crashes(octets: bytes) -> None:
        nonlocal last, crashed
        if time.monotonic() > until and not crashed:
            return
        last = octets
        counts[name] += 1
        try:
            one(PARSERS[name], octets)
        except Exception:
            crashed = True  # what follows makes it smaller and shows it again, whatever the time is
            raise

    try:
        crashes()
    except Exception as error:  # noqa: BLE001 - whatever a parser lets out is what is looked for
        where = "".join(traceback.format_exception(error)[-4:])
        return f"{name}: {type(error).__name__}: {str(error)[:200]}\n{where}\nbase64: {base64.b64encode(last).decode()}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", nargs="*", choices=list(PARSERS), default=list(PARSERS))
    args = parser.parse_args()
    with ProcessPoolExecutor(args.jobs) as pool:
        started = int(time.time()) * 1_000
        running = [pool.submit(play, args.minutes, started + job * 100_000_000, args.only) for job in range(args.jobs)]
        results = [each.result() for each in running]
    counts = sum((each for each, _ in results), Counter[str]())
    crashes = sorted({told for _, found in results for told in found})
    for name in args.only:
        print(f"{name:>8}: {counts[name]:>9,} letters")
    print("\n\n".join([*crashes, f"{len(crashes)} crashes in {args.minutes:g} minutes on {args.jobs} processes"]))
    return int(bool(crashes))


if __name__ == "__main__":
    sys.exit(main())
