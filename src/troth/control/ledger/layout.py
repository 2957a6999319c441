"""Evidence outside the house: which files an export of the ledger has, and what is in each.

    checkpoint            the newest signed note                       (C2SP tlog-tiles)
    log.vkey              the verifier key, and a newline
    tile/entries/<N>      256 leaves, each after its length            (C2SP tlog-tiles)
    tile/<L>/<N>          256 hashes of level 8 * L                     (C2SP tlog-tiles)
    batches/<N>           event hashes of the sealing leaves in bundle N, one after the other; no file when none seals
    checkpoints/<N>       256 signed notes, oldest first, with an empty line between two

The last of a row may hold fewer: the tiles are then named `.p/<how many>`.
"""

from troth.ledger.tiles import number_path

CHECKPOINT = "checkpoint"
VKEY = "log.vkey"
NOTES_A_FILE = 256


def batches(bundle: int) -> str:
    """The file of the event hashes that bundle `bundle`'s leaves seal."""
    return f"batches/{number_path(bundle)}"


def checkpoints(number: int) -> str:
    """The `number`th file of checkpoints."""
    return f"checkpoints/{number_path(number)}"
