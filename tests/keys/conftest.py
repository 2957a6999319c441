"""A local KMS, and one that can be switched off."""

import pytest

from troth.outside.kms import LocalKms, Unavailable


class Switched:
    """A real KMS behind a switch; counts how often it was asked."""

    def __init__(self, kms):
        self.kms, self.off, self.asked = kms, False, 0

    @property
    def key_id(self):
        return self.kms.key_id

    def _ask(self, verb, data, context):
        self.asked += 1
        if self.off:
            raise Unavailable("the KMS does not answer")
        return getattr(self.kms, verb)(data, context)

    def encrypt(self, plaintext, context):
        return self._ask("encrypt", plaintext, context)

    def decrypt(self, ciphertext, context):
        return self._ask("decrypt", ciphertext, context)


@pytest.fixture(scope="session")
def kms_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("kms") / "key"
    LocalKms.create(path)
    return path


@pytest.fixture
def kms(kms_file):
    return Switched(LocalKms(kms_file))
