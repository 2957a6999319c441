"""Around the house: every setting of Troth in one typed, frozen object, read once at the start.

    settings = load(os.environ, Path.cwd())

Sources: `TROTH_*` first, then `troth.toml`, then the default. A secret may come from a file that `TROTH_<NAME>_FILE`
names. Anything unknown or wrong is a SettingError in one sentence.
"""

from troth.settings.declared import Settings
from troth.settings.kinds import HostPort
from troth.settings.load import SettingError, load, require
from troth.settings.page import settings_markdown

__all__ = ["HostPort", "SettingError", "Settings", "load", "require", "settings_markdown"]
