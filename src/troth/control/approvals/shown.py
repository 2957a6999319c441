"""Four eyes: which claims have a control, so that no policy is approved that promises more than can be shown.

A control is one file, named after its claim, in control/trust/controls, which is above this room: only the names of its
files are read here. A test of the trust centre sees that they are the controls that run.
"""

from functools import cache
from importlib.resources import files

_HOME = ("trust", "controls")


@cache
def shown() -> frozenset[str]:
    """The claims' ids, such as EML-2 for eml_2.py."""
    names = (each.name for each in files("troth.control").joinpath(*_HOME).iterdir())
    return frozenset(name[:-3].replace("_", "-").upper() for name in names if name.endswith(".py") and name[0] != "_")
