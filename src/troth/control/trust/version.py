"""Claims: which eyes looked: a digest of the controls as they are shipped, and Troth's own version.

What another version finds for the first time is no turn of a claim: it may be the eyes that changed.
"""

import hashlib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from importlib.resources import files
from importlib.resources.abc import Traversable

_READ = (".py", ".toml", ".sql")


@cache
def version() -> str:
    """32 hexadecimal digits; the same for the same files."""
    made = hashlib.sha256(metadata.version("troth").encode())
    for name, octets in sorted(_files(files("troth.control.trust"), "")):
        made.update(f"\0{name}\0{len(octets)}\0".encode() + octets)
    return made.hexdigest()[:32]


def _files(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        if each.is_dir():
            yield from _files(each, f"{path}{each.name}/")
        elif each.name.endswith(_READ):
            yield path + each.name, each.read_bytes()
