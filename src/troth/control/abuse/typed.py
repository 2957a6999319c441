"""The desks: what somebody types into the two public forms: which fields there are, what is wrong with them. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from troth.mail.address import AddressError, parse_address

WHAT = (
    ("unasked", "I never asked for this mail, or had asked for it to stop"),
    ("deceives", "It pretends to come from somebody else, or wants my password or money"),
    ("harms", "It is offensive, or it tries to do harm"),
    ("other", "Something else"),
)
SEVERITY = (
    ("critical", "Critical: strangers can take over accounts, read mail or send it"),
    ("high", "High: much is at risk, but not for everybody or not at once"),
    ("medium", "Medium"),
    ("low", "Low"),
    ("unsure", "I cannot say"),
)
CREDIT = (("no", "No, leave me out"), ("yes", "Yes, under the name below, once it is mended"))
SOURCE, WORDS, HOW, SHORT, NAME = 200_000, 4_000, 20_000, 300, 100  # characters

_control_re = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Form:
    """One of the two. `fields` by name with the most characters of each; `check` gives the faults by field."""

    desk: str
    kind: str
    fields: Mapping[str, int]
    check: Callable[[Mapping[str, str]], dict[str, str]]

    def read(self, given: Mapping[str, str]) -> dict[str, str]:
        """What was typed, without what no person types; one character more than may be is kept, to be told of."""
        return {
            name: _control_re.sub("", given.get(name, "").replace("\r\n", "\n")).strip()[: most + 1]
            for name, most in self.fields.items()
        }

    def faults(self, typed: Mapping[str, str]) -> dict[str, str]:
        found = self.check(typed)
        long = {
            name: f"{most:,} characters are the most here; shorten it."
            for name, most in self.fields.items()
            if len(typed[name]) > most
        }
        return {name: fault for name in self.fields if (fault := long.get(name) or found.get(name))}


def _abuse(typed: Mapping[str, str]) -> dict[str, str]:
    found = _address(typed)
    if typed["what"] not in dict(WHAT):
        found["what"] = "Choose what is wrong: one of the four."
    if not typed["source"] and not typed["words"]:
        found["source"] = "Paste the message here, or say below what happened: one of the two is needed."
    return found


def _weakness(typed: Mapping[str, str]) -> dict[str, str]:
    found = _address(typed)
    if not typed["title"]:
        found["title"] = "Say in a few words what the weakness is."
    if not typed["where"]:
        found["where"] = "Say where it is: an address, a page, a program or a version."
    if not typed["how"]:
        found["how"] = "Say how it can be seen, step by step: without that nobody can look for it."
    if typed["severity"] not in dict(SEVERITY):
        found["severity"] = "Choose one; “I cannot say” is an answer, too."
    if typed["credit"] not in dict(CREDIT):
        found["credit"] = "Choose whether you would like to be named."
    if typed["credit"] == "yes" and not typed["name"]:
        found["name"] = "Write the name to be thanked under, or choose to be left out."
    return found


def _address(typed: Mapping[str, str]) -> dict[str, str]:
    if not typed["address"]:
        return {}
    try:
        parse_address(typed["address"])
    except AddressError as wrong:
        return {"address": wrong.hint}
    return {}


ABUSE = Form("abuse", "abuse", {"what": 20, "source": SOURCE, "words": WORDS, "address": SHORT}, _abuse)
WEAKNESS = Form(
    "security",
    "disclosure",
    {"title": SHORT, "where": SHORT, "how": HOW, "severity": 20, "credit": 20, "name": NAME, "address": SHORT},
    _weakness,
)
