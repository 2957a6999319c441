"""The command line, `troth inspect`: a stranger's words as they may stand on a terminal."""

import json


def line(value: object) -> str:
    """JSON in ASCII without controls, so that nothing a stranger wrote moves a terminal."""
    return json.dumps(value).replace("\x7f", "\\u007f")
