"""Around the river: text signed in the clear (RFC 9580 section 7) by the machine's GnuPG, in a home of its own.

CannotSign(RuntimeError)   temporary is False: the key or the program is not as it must be; the sentence says what
"""

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

_SECONDS = 20.0
_GPG = ("gpg", "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--passphrase", "")


class CannotSign(RuntimeError):  # noqa: N818 - reads as the sentence it raises
    """Nothing was signed."""

    temporary = False


def sign(text: str, key_file: Path) -> str:
    """`text` as a cleartext-signed document; `key_file`: one secret key without a passphrase, armored or not."""
    if shutil.which("gpg") is None:
        raise CannotSign("GnuPG is not installed: `apt-get install gnupg`, or leave security_key_file out.")
    with TemporaryDirectory(prefix="troth-gpg-") as home:  # short: the agent's socket lies in it
        try:
            _run(home, "--import", str(key_file))
            return _run(home, "--digest-algo", "SHA512", "--clearsign", input_=text)
        finally:
            end = ("gpgconf", "--homedir", home, "--kill", "gpg-agent")
            subprocess.run(end, check=False, capture_output=True)  # noqa: S603 - our own words


def _run(home: str, *words: str, input_: str = "") -> str:
    try:
        command = (*_GPG, "--homedir", home, *words)
        done = subprocess.run(  # noqa: S603 - our own words
            command, input=input_, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as trouble:
        raise CannotSign(f"GnuPG did not sign: {type(trouble).__name__}.") from trouble
    if done.returncode:
        raise CannotSign(f"GnuPG did not sign with security_key_file: {done.stderr.strip()[:300] or done.returncode}")
    return done.stdout
