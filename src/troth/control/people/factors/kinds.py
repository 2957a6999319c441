"""People: the kinds of factor, by allauth's names for them, and a session's word for each."""

from typing import Final

TOTP: Final = "totp"
PASSKEY: Final = "webauthn"
CODES: Final = "recovery_codes"
SECOND = (TOTP, PASSKEY)  # recovery codes stand in for one of these and are none by themselves
# what a session's `methods` say, and a person reads
METHODS = {TOTP: "totp", PASSKEY: "passkey", CODES: "recovery-code"}
WORDS = {
    "password": "password",
    "totp": "authenticator app",
    "passkey": "passkey",
    "recovery-code": "recovery code",
    "sign-on": "single sign-on",
    "device": "credential file",
    "passphrase": "passphrase",
}
