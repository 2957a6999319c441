"""What each answer has to be, by expected.txt and the page's line, and how an answer is read."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.control.matrix import grid
from tests.control.matrix.routes import OPEN, OUTSIDE, Page
from tests.control.matrix.world import PROFILES, Persona

MISSING, DOOR, SECOND, PROVE, IN, NO_METHOD, CHOOSE, AWAY = (
    "as what is not there", "sign-in", "second factor", "proof", "let in", "no such method", "asked which client",
    "the door's, which is not there",
)  # fmt: skip
_REDIRECTS = {"/sign-in": DOOR, "/second-factor": SECOND, "/prove": PROVE}


@dataclass(frozen=True)
class Shown:
    """What the session has shown."""

    second: bool = True
    fresh: bool = True


class Judge:
    def __init__(self) -> None:
        self.grid = grid.read()

    def expected(self, page: Page, method: str, who: Persona | None, shown: Shown) -> str:
        """One of the answers above, for the thing of the client that is looked at."""
        if page.kind in (OPEN, OUTSIDE):
            return AWAY if page.leads == "door" else IN if method in page.methods else NO_METHOD
        if who is None:
            return DOOR
        letter, loose = self._letter(page.action(method), who, method)
        also = self._letter(page.also, who, method)[0] if page.also and method == "POST" else letter
        if "-" in (letter, also) or (letter in "nN" and not who.named):
            return MISSING
        if letter in "2N" and not shown.second:
            return SECOND
        if loose:
            return CHOOSE
        if page.fresh and not shown.fresh:
            return PROVE
        if method not in page.methods:
            return NO_METHOD
        if page.empty:
            return MISSING
        if who.scope == "house" and page.things and page.leads == "choose":
            return CHOOSE
        if who.scope == "house" and page.things and page.alone != "page" and page.leads != "client":
            return MISSING
        return DOOR if page.leads == "out" else IN

    def plain(self, page: Page, method: str, who: Persona) -> bool:
        """At the building firm the letter is the home's, and nobody is named by it: the home's people are asked already."""
        if who.at != "c":
            return False
        action = page.action(method)
        letters = {self.grid[profile, action, who.scope, who.role] for profile in ("property", "construction")}
        return len(letters) == 1

    def _letter(self, action: str, who: Persona, method: str) -> tuple[str, bool]:
        """The cell; True when staff are let in only to be asked at which client they look."""
        letter = self.grid[who.profile, action, who.scope, who.role]
        if letter != "-" or who.scope != "house" or method != "GET":
            return letter, False
        cells = [self.grid[profile, action, "clients", who.role] for profile in PROFILES.values()]
        return next((one for one in ("2", "y", "N", "n") if one in cells), "-"), True


def read(answer: dict[str, Any], missing: str) -> str:
    """Which of the answers above this is. `missing`: the digest of the page of what is not there, for this person."""
    status, where = answer["status"], urlsplit(answer["location"])
    if status == 404:
        return MISSING if answer["digest"] == missing else "a 404 that is not the one of what is not there"
    if status == 302 and where.path in _REDIRECTS and (where.path == "/sign-in" or "next" in parse_qs(where.query)):
        return _REDIRECTS[where.path]
    if status == 405:
        return NO_METHOD
    if status == 503:
        return AWAY
    if status >= 500:
        return f"broken ({status})"
    return CHOOSE if answer["asks"] else IN
