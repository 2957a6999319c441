"""Evidence, refused before it is kept: the one thing that every scan raises."""


class Unfit(Exception):  # noqa: N818 - a finding about somebody's file, no error of ours
    """Permanent; `sentence` says what is wrong and what to do."""

    temporary = False

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence
