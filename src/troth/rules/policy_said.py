"""The house of policy in words, the smallest: a number, a length of time and a share, as people write them."""

_NBSP = "\N{NO-BREAK SPACE}"
_DAY, _HOUR = 1_440, 60  # minutes


def number(value: int, one: str, many: str = "") -> str:
    """1 message; 5,000 messages"""
    return f"{value:,}{_NBSP}{one if value == 1 else many or one + 's'}"


def span(minutes: int) -> str:
    """A length in the largest unit that tells it whole: 90 min, 36 h, 3 days."""
    if minutes and minutes % _DAY == 0 and minutes > 2 * _DAY:
        return number(minutes // _DAY, "day")
    return f"{minutes // _HOUR:,}{_NBSP}h" if minutes and minutes % _HOUR == 0 else f"{minutes:,}{_NBSP}min"


def length(text: str) -> str:
    """A span as a policy's document has it, for a sentence: 4 h, 14 days, 1 business day."""
    count, _, unit = text.partition(" ")
    return number(int(count), "day") if unit == "d" else f"{int(count):,}{_NBSP}{unit}"


def share(ppm: int) -> str:
    """Parts in a million as a percentage: 0.03 %, 98 %, 99.95 %."""
    whole, rest = divmod(ppm, 10_000)
    return f"{whole}{f'.{rest:04}'.rstrip('0') if rest else ''}{_NBSP}%"
