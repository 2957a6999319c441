"""The blind index of the keyring: how a suppressed or known address is found without being stored.

HMAC-SHA-256 of the normalised address (A-label, NFC, casefold), one key for the installation. It rotates by
nesting, new = HMAC(k_new, old index), which needs no plaintext: rows are lifted in place, and a look-up
asks for every layer.
"""

import hmac
from collections.abc import Sequence

KEY_BYTES = 32
INDEX_BYTES = 32


class BlindIndex:
    """`layers` are 32-byte keys, oldest first; layer numbers count from 1, the current one being the last."""

    __slots__ = ("_layers",)

    def __init__(self, layers: Sequence[bytes]) -> None:
        if not layers or any(len(key) != KEY_BYTES for key in layers):
            raise ValueError(f"a blind index needs at least one key, each of {KEY_BYTES} bytes")
        self._layers = tuple(layers)

    def __repr__(self) -> str:
        return f"BlindIndex(layer {self.layer})"

    @property
    def layer(self) -> int:
        """The layer that `index` is of."""
        return len(self._layers)

    def index(self, normal_address: str) -> bytes:
        """The current layer's index of a normalised address: 32 bytes."""
        return self.lift(_octets(normal_address), 0)

    def all_layers(self, normal_address: str) -> list[tuple[int, bytes]]:
        """Every layer's number and index, the current one first: what a look-up asks for."""
        value = _octets(normal_address)
        found = []
        for number, key in enumerate(self._layers, start=1):
            value = hmac.digest(key, value, "sha256")
            found.append((number, value))
        return found[::-1]

    def lift(self, value: bytes, from_layer: int) -> bytes:
        """Raise an index of `from_layer` to the current layer, without plaintext (layer 0 is the address)."""
        if not 0 <= from_layer <= self.layer:
            raise ValueError(f"there is no layer {from_layer}: the current one is {self.layer}")
        for key in self._layers[from_layer:]:
            value = hmac.digest(key, value, "sha256")
        return value


def _octets(normal_address: str) -> bytes:
    # An address that was not normalised would get an index of its own and slip past its suppression.
    if "@" not in normal_address or (normal_address.isascii() and normal_address != normal_address.lower()):
        raise ValueError("normalise the address before indexing it: A-label domain, NFC, casefold")
    return normal_address.encode()
