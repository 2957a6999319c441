"""The bench, whole: `make bench` (python -m tests.bench). The last line of what it prints is one JSON object.

    --count-2k N --count-50k N --rounds N   how much; --old S   seconds of the open snapshot; --suppressions N
    --only plain|ways|snapshot|suppressions|stages   a part of it (may be given several times)

It ends with a status other than 0 when a run fails or when its check of itself does not come out even. See
docs/performance.md for how to read it.
"""

import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import check, ground, measure, peer, rows, stages, words
from tests.bench.measure import Run
from tests.bench.sink import messages

from troth.cli.demo.building import SELECTOR
from troth.cli.supervise import StartFailed

PARTS = ("plain", "ways", "snapshot", "suppressions", "stages")
WARM_UP = 300  # messages of each size, so that every statement is prepared and every template compiled


@dataclass(slots=True)
class Bench:
    """One go. `told` becomes the last line."""

    options: argparse.Namespace
    folder: Path
    began: float = field(default_factory=time.monotonic)
    told: dict[str, Any] = field(default_factory=dict)

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self.began:6.1f} s] {line}", flush=True)

    def run(self) -> int:
        with ExitStack() as held:
            here = held.enter_context(ground.stand(self.folder))
            self._introduce(here)
            rival = self._peer(held)
            if "plain" in self.options.only:
                self._plain(here, rival)
            if "ways" in self.options.only:
                self._ways(here)
            if "snapshot" in self.options.only:
                found = rows.snapshot(here, self.options.count_2k, self.options.rounds, self.say, self.options.old)
                self._row("snapshot", f"a snapshot open for {self.options.old:g} s", found)
            if "suppressions" in self.options.only:
                many = self.options.suppressions
                found = rows.suppressions(here, self.options.count_2k, self.options.rounds, self.say, many)
                self._row("suppressions", f"{many:,} suppressions", found)
            status = self._check(here)
        if "stages" in self.options.only:
            self._stages()
        self.told["seconds"] = round(time.monotonic() - self.began, 1)
        print(json.dumps(self.told))
        return status

    def _introduce(self, here: ground.Ground) -> None:
        settings = here.layout.settings
        cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.told["machine"] = {"system": platform.system(), "python": platform.python_version(), "cpus": cpus}
        self.told["settings_sha256"] = ground.settings_hash(settings)
        self.told["asked_by"] = str(measure.BATCHES)
        running = ", ".join(sorted(here.pids()))
        self.say(f"Up, with the settings of `make run` (sha256 {self.told['settings_sha256']}): {running}.")
        for size in words.SIZES:
            measure.ours(here, size, self.options.warm_up)
            measure.ours(here, size, self.options.warm_up, way=measure.SINGLES)

    def _peer(self, held: ExitStack) -> peer.Peer | None:
        if "plain" not in self.options.only or self.options.no_peer:
            return None
        try:
            peer.prepare()
            there = held.enter_context(peer.stand(self.folder / "peer"))
        except peer.NoPeer as why:
            self.say(f"Postfix with OpenDKIM is left out, so there is no ratio: {why}.")
            self.told["peer_left_out"] = str(why)
            return None
        self.say("Postfix with OpenDKIM is up beside it.")
        return there

    def _plain(self, here: ground.Ground, rival: peer.Peer | None) -> None:
        for size, count in (("2k", self.options.count_2k), ("50k", self.options.count_50k)):
            mine: list[Run] = []
            theirs: list[Run] = []
            message = self._fixture(here, size)
            if rival is not None:
                measure.peers(rival, message, min(count, self.options.warm_up))
            for number in range(1, self.options.rounds + 1):
                mine.append(measure.ours(here, size, count))
                said = f"{size}, round {number}: Troth {mine[-1].per_s:.0f}/s"
                if rival is not None:
                    theirs.append(measure.peers(rival, message, count))
                    said += f", Postfix + OpenDKIM {theirs[-1].per_s:.0f}/s"
                self.say(said)
            self.told[f"size_{size}"] = _size(mine, theirs)

    def _fixture(self, here: ground.Ground, size: str) -> Path:
        """One of the warm-up's messages of that size."""
        measure.flush(here)
        at = words.SIZES.index(size) * 2 * self.options.warm_up
        return measure.fixture(here, next(islice(messages(here.sink_folder), at, None)), f"{size}.eml")

    def _ways(self, here: ground.Ground) -> None:
        """The same asked for one by one, and 50 KB brought along by every request."""
        for name, size, way in (
            ("size_2k_one_by_one", "2k", measure.SINGLES),
            ("size_50k_one_by_one", "50k", measure.SINGLES),
            ("size_50k_without_template", "50k-raw", measure.BATCHES),
        ):
            count = self.options.count_2k if size == "2k" else self.options.count_50k
            found = _size([measure.ours(here, size, count, way=way) for _ in range(self.options.rounds)], [])
            theirs = self.told.get("size_" + size.partition("-")[0], {}).get("postfix_dkim_per_s")
            ratio = round(found["ours_per_s"] / theirs, 3) if theirs else None
            self.told[name] = {"ours_per_s": found["ours_per_s"], "ratio": ratio, "asked_by": str(way),
                               "cpu_s_per_1000": found["cpu_s_per_1000"]}  # fmt: skip
            self.say(f"{name}: {found['ours_per_s']:.0f}/s, ratio {ratio}.")

    def _row(self, name: str, what: str, found: rows.Row) -> None:
        self.told[name] = {
            "plain_per_s": round(found.plain_per_s, 1), "per_s": round(found.row_per_s, 1),
            "ratio": round(found.ratio, 3),
            "bursts": [[round(each, 1) for each in bursts] for bursts in found.bursts],
        }  # fmt: skip
        self.say(f"With {what}: {found.row_per_s:.0f}/s, plain {found.plain_per_s:.0f}/s, ratio {found.ratio:.2f}.")

    def _check(self, here: ground.Ground) -> int:
        measure.drained(here)
        measure.flush(here)
        with here.admin() as connection:
            check.await_sealed(connection)
            events, (hashes, wrong) = check.told(connection), check.sealed(connection)
        signer = check.Signer(here.public_key(), ground.DOMAIN, SELECTOR)
        verdict = check.compare(check.arrived(here.sink_folder, signer), events, hashes, wrong)
        self.told["check"] = {
            "dkim_valid_at_sink": verdict.at_sink, "sent_events": verdict.sent_events,
            "sealed_leaves": verdict.sealed_leaves, "equal": verdict.equal, "asked": here.taken,
        }  # fmt: skip
        self.say(
            f"Check: {verdict.at_sink} distinct messages with a valid signature at the sink, {verdict.sent_events} "
            f"events, {verdict.sealed_leaves} sealed leaves, {here.taken} asked for."
        )
        for difference in verdict.differences:
            self.say(f"NOT EQUAL: {difference}")
        return 0 if verdict.equal and verdict.at_sink == here.taken else 1

    def _stages(self) -> None:
        found = stages.apart(self.folder / "stages", self.options.count_2k)
        self.told["stages_us"] = found
        self.say("Microseconds of CPU a message:")
        print(*stages.lines(found), sep="\n", flush=True)


def _size(mine: Sequence[Run], theirs: Sequence[Run]) -> dict[str, Any]:
    """Medians; null where nothing is known."""
    ours, postfix = _median(mine, "per_s"), _median(theirs, "per_s")
    return {
        "ours_per_s": ours, "postfix_dkim_per_s": postfix,
        "ratio": round(ours / postfix, 3) if ours and postfix else None,
        "cpu_s_per_1000": _median(mine, "cpu_s_per_1000"), "pss_mb": _median(mine, "pss_mb"),
        "accepted_per_s": _median(mine, "accepted_per_s"),
        "postfix_dkim_cpu_s_per_1000": _median(theirs, "cpu_s_per_1000"),
        "postfix_dkim_pss_mb": _median(theirs, "pss_mb"),
        "rounds": [[round(run.per_s, 1) for run in runs] for runs in (mine, theirs)],
    }  # fmt: skip


def _median(runs: Sequence[Run], name: str) -> float | None:
    known = [value for run in runs if (value := getattr(run, name)) is not None]
    return round(median(known), 3) if known else None


def options(argv: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description="Troth, end to end, beside Postfix with OpenDKIM.")
    parser.add_argument("--count-2k", type=int, default=6_000, help="messages of 2 KB in each run")
    parser.add_argument("--count-50k", type=int, default=2_000, help="messages of 50 KB in each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=WARM_UP)
    parser.add_argument("--old", type=float, default=rows.OLD, help="seconds that the snapshot is open")
    parser.add_argument("--suppressions", type=int, default=2_000_000)
    parser.add_argument("--no-peer", action="store_true", help="leave Postfix out")
    parser.add_argument("--only", action="append", choices=PARTS, help="these parts alone")
    parser.add_argument("--dir", type=Path, default=Path("/var/tmp"), help="where both work; on a real disk")  # noqa: S108 - a folder of our own is made in it
    given = parser.parse_args(argv)
    given.only = given.only or list(PARTS)
    return given


def main(argv: Sequence[str] | None = None) -> int:
    given = options(argv)
    folder = Path(tempfile.mkdtemp(prefix="troth-bench-", dir=given.dir))
    folder.chmod(0o711)  # the accounts of PostgreSQL and Postfix pass through it to their own
    try:
        return Bench(given, folder).run()
    except (measure.RunFailed, StartFailed) as failed:
        print(f"The bench failed: {failed}", file=sys.stderr)
        _keep_log(folder)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _keep_log(folder: Path) -> None:
    for log in folder.glob("**/processes.log"):
        print(*log.read_text(errors="replace").splitlines()[-30:], sep="\n", file=sys.stderr)


if __name__ == "__main__":
    raise SystemExit(main())
