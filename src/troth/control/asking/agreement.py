"""Asking: what whoever asks for documents that are not public agrees to, in versions; the hash of the one that was
shown is kept with what was asked. Pure.
"""

from hashlib import sha256

# never edited once shown to anybody: a new version is added at the end
VERSIONS = (
    (
        "What is sent to me under this agreement is confidential. I use it only to judge whether this service is "
        "fit for the firm that I named. I show it only to people of that firm, and to its advisers, who need it "
        "for that and are bound to the same. I do not publish it, and I delete it when it is no longer needed for "
        "that, or when I am asked to. What was public before, or became public without my doing, is not bound by "
        "this. This lasts for three years from the day on which I was sent the documents."
    ),
)
NOW = VERSIONS[-1]


def digest(text: str = NOW) -> bytes:
    return sha256(text.encode()).digest()


def text_of(kept: bytes) -> str:
    """The version that was agreed to; "" for none of ours."""
    return next((text for text in VERSIONS if digest(text) == kept), "")


def version_of(kept: bytes) -> int:
    """From 1; 0 for none of ours."""
    return next((n for n, text in enumerate(VERSIONS, 1) if digest(text) == kept), 0)
