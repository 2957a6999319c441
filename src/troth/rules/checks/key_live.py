"""Gate check: the API key is alive and may send.

Way out: a new key, made by a member who may manage keys.
"""

from types import MappingProxyType

from troth.rules.decision import Verdict, accept, refuse, unknown
from troth.rules.facts import Facts

CHECK = "key_live"
CODES = ("key-revoked", "key-expired", "key-elsewhere", "key-not-for-sending", "store-unavailable")
_DEAD = MappingProxyType(
    {
        "revoked": ("key-revoked", "This API key was revoked. Use a key that is live."),
        "expired": ("key-expired", "This API key has expired. Make a new one and use that."),
        "elsewhere": (
            "key-elsewhere",
            "This API key may not be used from this network. Use it from one of its own, or have one added to it.",
        ),
    }
)


def check(facts: Facts) -> Verdict:
    key = facts.key
    if key is None or (key.live != "live" and key.live not in _DEAD):
        return unknown(CHECK, "this API key")
    if key.live != "live":
        code, sentence = _DEAD[key.live]
        return refuse(CHECK, code, sentence, {"key": key.id})
    if not key.sending_allowed:
        sentence = "This API key may read but not send. Use a key with the permission to send."
        return refuse(CHECK, "key-not-for-sending", sentence, {"key": key.id})
    if key.test:
        return accept(CHECK, "The key is a test key: all is checked, nothing is sent.", {"key": key.id, "mode": "test"})
    return accept(CHECK, "The key is live and may send.", {"key": key.id})
