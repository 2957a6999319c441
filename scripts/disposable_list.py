"""Beside the house: compiles the list of disposable domains that ships with it, from the package that is installed.

    pip install --target DIR disposable-email-domains; PYTHONPATH=DIR python scripts/disposable_list.py

The list's date is that of the package's files. Its data is the project's (CC0 1.0), the package is MIT.
"""

import importlib.util
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PACKAGE = "disposable-email-domains"
TARGET = Path(__file__).resolve().parents[1] / "src/troth/mail/address_lists/disposable.txt"


def main() -> int:
    spec = importlib.util.find_spec("disposable_email_domains")
    if spec is None or spec.origin is None:
        print(f"Install {PACKAGE} where this interpreter finds it, and run this again.", file=sys.stderr)
        return 2
    module = importlib.util.module_from_spec(spec)
    assert spec.loader is not None
    spec.loader.exec_module(module)
    day = datetime.fromtimestamp(Path(spec.origin).stat().st_mtime, UTC).date()
    names = sorted({name.strip().lower() for name in module.blocklist if name.isascii() and "." in name})
    head = [
        f"# as of {day}",
        f"# from {PACKAGE} {version(PACKAGE)}; list CC0 1.0, package MIT; scripts/disposable_list.py",
    ]
    TARGET.write_text("\n".join([*head, *names]) + "\n", "ascii")
    print(f"{len(names):,} domains as of {day} in {TARGET.name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
