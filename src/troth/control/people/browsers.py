"""People: a browser in words that its person knows it by, as it calls itself; nothing is decided by it."""

import re

_BROWSERS = (
    (r"\bEdg(?:A|iOS)?/", "Edge"),
    (r"\bOPR/", "Opera"),
    (r"\bSamsungBrowser/", "Samsung Internet"),
    (r"\b(?:Firefox|FxiOS)/", "Firefox"),
    (r"\b(?:Chrome|Chromium|CriOS|HeadlessChrome)/", "Chrome"),
    (r"\bVersion/[0-9.]+.*\bSafari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
_UNKNOWN = "An unknown browser"


def in_words(agent: str) -> str:
    """Firefox on Linux; An unknown browser."""
    browser = next((name for pattern, name in _BROWSERS if re.search(pattern, agent)), "")
    system = next((name for part, name in _SYSTEMS if part in agent), "")
    return f"{browser or _UNKNOWN}{f' on {system}' if system else ''}"
