"""The composition root: the only room that may import every other. `troth` is `main` here.

exit status 0   done
            1   refused, or it could not be done; one sentence on standard error says why
            2   the command line itself is wrong (argparse)
            (`troth verify` has 2 for this: its 1 is a finding)
            75  the database cannot be asked now; the same command may work later (sysexits' EX_TEMPFAIL)
"""

import os
import re
import sys
from collections.abc import Sequence

__all__ = ["main"]

_LATER = 75
# A connection that fails has no SQLSTATE, only words.
_NOT_PREPARED = re.compile(r'(role "troth_[a-z]+"|database ".*") does not exist')


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; `argv` without the program's name."""
    from troth.cli.parser import parser
    from troth.cli.words import CommandError, warn
    from troth.settings import SettingError, load

    words = list(sys.argv[1:] if argv is None else argv)
    if not words:
        parser().print_help()
        return 0
    args = parser(words).parse_args(words)
    try:
        if args.config:
            os.environ["TROTH_CONFIG"] = str(args.config.absolute())  # the processes that we start read it, too
        from pathlib import Path

        itself = getattr(args, "reads_settings_itself", False)  # what can work with settings that are wrong
        told = {"TROTH_MODE": args.mode, **os.environ} if hasattr(args, "mode") else os.environ
        status: int = args.run(args, None if itself else load(told, Path.cwd()))
    except (SettingError, CommandError) as wrong:
        warn(str(wrong))
        return int(getattr(args, "cannot", 1))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our words went away: `troth change list | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as trouble:  # noqa: BLE001 - what is not known is raised again
        sentence, status = _known(trouble)
        warn(sentence)
    return status


def _known(trouble: Exception) -> tuple[str, int]:
    """The sentence and status of what rooms raise on purpose; anything else is ours and goes on as it is."""
    import psycopg

    from troth.control.audit.refusals import Invalid, Refused, StoreAway
    from troth.control.people.credentials import BadCredential
    from troth.keys.errors import KeyringError
    from troth.outside.kms import KmsError
    from troth.outside.postgres import PostgresError

    if isinstance(trouble, Invalid):
        lines = "\n".join(f"  {each.field}: {each.hint}" for each in trouble.problems)
        return f"nothing was proposed:\n{lines}", 1
    if isinstance(trouble, psycopg.OperationalError) and _NOT_PREPARED.search(str(trouble)):
        return "The database is not prepared: `troth init` comes first.", 1
    if isinstance(trouble, StoreAway | psycopg.OperationalError):
        return str(trouble), _LATER
    if isinstance(trouble, Refused | BadCredential | KeyringError | KmsError | PostgresError):
        return str(trouble), _LATER if getattr(trouble, "temporary", False) else 1
    from troth.cli.supervise import AnotherRuns, StartFailed

    if isinstance(trouble, AnotherRuns | StartFailed):
        return str(trouble), 1
    raise trouble
