"""Signing on: why somebody was not let in.

NotSignedOn   permanent for this attempt: `sentence` is for whoever tried, `why` for the client's record of sign-ins
"""

_PLAIN = "What your provider answered cannot be used. Start again; if it stays so, tell an administrator of your firm."


class NotSignedOn(Exception):  # noqa: N818 - reads as the answer it is
    """Nobody is signed in by this attempt, which is over. `why` names no secret and no address."""

    temporary = False

    def __init__(self, why: str, sentence: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.sentence = sentence or _PLAIN
