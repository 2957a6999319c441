"""Beside the demo's river: the local DNS server as a process of its own."""

import sys
from pathlib import Path

from troth.cli.demo.dns import serve

if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
