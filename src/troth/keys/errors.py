"""The keyring's errors, for every room that seals or opens; none of them ever carries key material.

KeyringError |-- KmsUnavailable temporary: the KMS did not answer; nothing is lost, try again '--
Undecryptable permanent: another key, another context, or changed bytes (an erased person's too)
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from troth.outside import kms


class KeyringError(Exception):
    """The root. `temporary` says whether the same call may work later."""

    temporary: ClassVar[bool] = False


class KmsUnavailable(KeyringError):  # noqa: N818 - reads as the answer it is
    """The KMS could not be asked."""

    temporary: ClassVar[bool] = True


class Undecryptable(KeyringError):  # noqa: N818 - reads as the answer it is
    """These bytes do not open here."""


@contextmanager
def kms_answers() -> Iterator[None]:
    """Turn what a KMS raises into the keyring's own words."""
    try:
        yield
    except kms.Unavailable as error:
        raise KmsUnavailable(str(error)) from error
    except kms.KmsError as error:
        raise Undecryptable(str(error)) from error
