"""People: what a password may be: 12 characters or more, none of the 20,000 that everybody tries, not one's address.

No rule of composition and no expiry (NIST SP 800-63B-4 section 3.1.1.2): length is what helps.
"""

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

LEAST = 12
_common = CommonPasswordValidator()


def check(password: str, address: str) -> None:
    """Raise ValidationError with the sentence that says what to do."""
    folded = password.casefold()
    if len(password) < LEAST:
        raise ValidationError(f"This has {len(password)} characters: take at least {LEAST}, such as four words.")
    if len(set(folded)) < 5:
        raise ValidationError("This is the same few characters again and again: take several words.")
    if len(_without(folded, address.casefold())) < LEAST // 2:
        raise ValidationError("This is little more than your address: take several other words.")
    try:
        for guess in (folded, folded.rstrip("0123456789!?.-_"), _unit(folded)):
            _common.validate(guess)
    except ValidationError:
        raise ValidationError("This is one of the passwords that everybody tries: take several words.") from None


def _without(password: str, address: str) -> str:
    """What is left of a password when the address and its longer parts are taken out of it."""
    local, _, domain = address.partition("@")
    for part in (address, local, domain, domain.partition(".")[0]):
        password = password.replace(part, "") if len(part) >= 4 else password
    return password


def _unit(password: str) -> str:
    """What a password is the repetition of; itself when it repeats nothing."""
    return password[: (password + password).index(password, 1)]
