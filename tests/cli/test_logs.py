"""Logs: a process whose reader was killed goes on working."""

import os
import subprocess
import sys

ORPHAN = """
import logging, os, sys, time
from pathlib import Path
import structlog
from troth.cli import logs
from troth.settings import load
logs.configure(load({"TROTH_LOG_JSON": sys.argv[2]}, Path.cwd()))
sys.stdin.readline()
for n in range(2000):
    structlog.get_logger("troth.test").warning("said to nobody", words="x" * 100)
    logging.getLogger("elsewhere").warning("said to nobody")
Path(sys.argv[1]).write_text("still here")
os._exit(0)
"""


def test_a_log_whose_reader_is_gone_stops_nobody(tmp_path):
    for json in ("true", "false"):
        done = tmp_path / f"done-{json}"
        process = subprocess.Popen(
            [sys.executable, "-c", ORPHAN, str(done), json], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, cwd=tmp_path, env={n: v for n, v in os.environ.items() if not n.startswith("TROTH_")},
        )  # fmt: skip
        process.stdout.close()
        process.stdin.write(b"go\n")
        process.stdin.close()
        assert process.wait(30) == 0
        assert done.read_text() == "still here"
