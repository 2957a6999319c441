"""The keyring as a process of the house holds it: opened once with the KMS, then used for every page and message."""

from dataclasses import dataclass

from troth.keys.installation import InstallationSecrets
from troth.keys.keyring import Keyring, TenantKeys


@dataclass(frozen=True, slots=True)
class Keys:
    """What a process opened with the KMS: the keyring, the installation's secrets, the operator's own keyset."""

    keyring: Keyring
    secrets: InstallationSecrets
    operator: TenantKeys
