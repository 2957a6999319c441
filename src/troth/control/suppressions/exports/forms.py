"""Suppressions: the lists that other providers export, each with its columns and what its reasons are here.

Left(Exception)     a row that says nothing that belongs on the list, with the reason in a sentence
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from troth.control.suppressions.exports.said import day, reply_class

HARD, COMPLAINT, OPT_OUT, ADMINISTRATIVE, SOFT_SPENT = 1, 2, 3, 5, 6
PARTLY = 0  # an opt-out of one tag or group alone
_HARD, _SOFT = 5, 4
type Cells = Mapping[str, str]


class Left(Exception):  # noqa: N818 - reads as the sentence it raises
    """`code` is stable; the sentence repeats nothing of the row."""

    def __init__(self, code: str, hint: str) -> None:
        super().__init__(hint)
        self.code, self.hint = code, hint


@dataclass(frozen=True, slots=True)
class Said:
    """What a row says: an address as it is written, our reason, and since when."""

    address: str
    reason: int
    since: date | None


@dataclass(frozen=True, slots=True)
class Form:
    """One list of one provider. `columns`: field -> the headings it goes by, folded; the first is how the export calls
    it. `must`: fields without which it is another list; `never`: headings that only another list has.
    """

    code: str
    provider: str
    label: str
    columns: Mapping[str, tuple[str, ...]]
    must: tuple[str, ...]
    reason: Callable[[Cells], int]
    never: tuple[str, ...] = ()

    def find(self, header: list[str]) -> dict[str, int] | None:
        """Where each field stands; None: this is another list."""
        folded = [fold(each) for each in header]
        if any(each in folded for each in self.never):
            return None
        found = {name: next((n for n, each in enumerate(folded) if each in called), None)
                 for name, called in self.columns.items()}  # fmt: skip
        if any(found[name] is None for name in self.must):
            return None
        return {name: place for name, place in found.items() if place is not None}

    def read(self, cells: Cells) -> Said:
        """Raise Left for a row that does not belong on the list."""
        return Said(cells.get("address", ""), self.reason(cells), day(cells.get("since", "")))


def fold(heading: str) -> str:
    """`Email Address`, `email_address` and `EmailAddress` are one heading."""
    return "".join(each for each in heading.casefold() if each.isalnum())


def _always(reason: int) -> Callable[[Cells], int]:
    return lambda _: reason


def _mailgun_bounce(cells: Cells) -> int:
    """605 to 607: Mailgun refused itself, because of its own list of bounces, opt-outs or complaints."""
    own = {"605": HARD, "606": OPT_OUT, "607": COMPLAINT}.get(cells.get("code", ""))
    if own is not None:
        return own
    return SOFT_SPENT if reply_class(cells.get("code", ""), cells.get("detail", "")) == _SOFT else HARD


def _mailgun_opt_out(cells: Cells) -> int:
    """Of the tag `*`, which is all of a domain's mail, or of no tag, which is the same."""
    tags = [each.strip(" \"'") for each in cells.get("tags", "").strip().strip("[]").split(",")]
    return OPT_OUT if "*" in tags or not any(tags) else PARTLY


def _ses(cells: Cells) -> int:
    known = {"BOUNCE": HARD, "COMPLAINT": COMPLAINT}
    found = known.get(cells.get("reason", "").strip().upper())
    if found is None:
        raise Left("reason", "Amazon SES knows the reasons BOUNCE and COMPLAINT: this is neither.")
    return found


def _postmark(cells: Cells) -> int:
    """A manual one is the recipient's own wish, or somebody's of the sender's."""
    reason, origin = fold(cells.get("reason", "")), fold(cells.get("origin", ""))
    if reason == "manualsuppression":
        return ADMINISTRATIVE if origin in ("customer", "admin") else OPT_OUT
    found = {"hardbounce": HARD, "spamcomplaint": COMPLAINT}.get(reason)
    if found is None:
        raise Left("reason", "Postmark knows HardBounce, SpamComplaint and ManualSuppression: this is none of them.")
    return found


_POSTMARK_BOUNCES = {
    "hardbounce": HARD, "bademailaddress": HARD, "spamcomplaint": COMPLAINT, "spamnotification": COMPLAINT,
    "unsubscribe": OPT_OUT, "manuallydeactivated": ADMINISTRATIVE,
}  # fmt: skip


def _postmark_bounce(cells: Cells) -> int:
    if fold(cells.get("inactive", "true")) in ("false", "0", "no"):
        raise Left("active", "Postmark still sends to this address: it is on no list there.")
    found = _POSTMARK_BOUNCES.get(fold(cells.get("reason", "")))
    if found is None:
        raise Left("passing", "This kind of bounce says nothing of the address: it may have passed.")
    return found


def _sendgrid_bounce(cells: Cells) -> int:
    return SOFT_SPENT if reply_class(cells.get("status", ""), cells.get("detail", "")) == _SOFT else HARD


def _sendgrid_block(_: Cells) -> int:
    raise Left("block", "A block says nothing of the address: the receiver refused the sender or the message.")


_ADDRESS = ("email", "address", "emailaddress", "recipient", "recipientaddress", "recipientemail")
_MG = {"address": ("address", *_ADDRESS), "since": ("createdat", "created", "date")}
_SG = {"address": _ADDRESS, "since": ("created", "createdat", "date"), "detail": ("reason",), "status": ("status",)}
_PM = {"address": ("emailaddress", *_ADDRESS), "since": ("createdat", "date"), "origin": ("origin",),
       "reason": ("suppressionreason", "reason")}  # fmt: skip
_ALL = (
    Form("mailgun-bounces", "mailgun", "Mailgun: bounces",
         {**_MG, "code": ("code", "errorcode"), "detail": ("error", "errormessage", "reason")}, ("address", "code"),
         _mailgun_bounce),
    Form("mailgun-complaints", "mailgun", "Mailgun: complaints", _MG, ("address",), _always(COMPLAINT),
         never=("code", "tags", "tag", "type", "status", "ip", "reason", "suppressionreason", "groupid", "groupname")),
    Form("mailgun-unsubscribes", "mailgun", "Mailgun: unsubscribes", {**_MG, "tags": ("tags", "tag")}, ("address",),
         _mailgun_opt_out,
         never=("code", "type", "status", "ip", "reason", "suppressionreason", "groupid", "groupname")),
    Form("ses", "ses", "Amazon SES: the account’s suppression list",
         {"address": ("emailaddress", *_ADDRESS), "reason": ("reason", "suppressionreason"),
          "since": ("lastupdatetime", "lastupdated", "dateadded", "createdat")},
         ("address", "reason"), _ses, never=("status", "origin", "code")),
    Form("postmark", "postmark", "Postmark: suppressions of a message stream", _PM, ("address", "reason"), _postmark,
         never=("status", "code", "typecode", "lastupdatetime")),
    Form("postmark-bounces", "postmark", "Postmark: bounces",
         {"address": _ADDRESS, "reason": ("type",), "since": ("bouncedat", "date"), "inactive": ("inactive",)},
         ("address", "reason"), _postmark_bounce),
    Form("sendgrid-bounces", "sendgrid", "SendGrid: bounces", _SG, ("address", "status"), _sendgrid_bounce),
    Form("sendgrid-invalid-emails", "sendgrid", "SendGrid: invalid emails", _SG, ("address", "detail"), _always(HARD),
         never=("status", "suppressionreason", "origin", "lastupdatetime")),
    Form("sendgrid-spam-reports", "sendgrid", "SendGrid: spam reports", {**_SG, "ip": ("ip",)}, ("address",),
         _always(COMPLAINT), never=("status", "reason", "code", "tags", "suppressionreason", "groupid", "groupname")),
    Form("sendgrid-unsubscribes", "sendgrid", "SendGrid: global unsubscribes", _SG, ("address",), _always(OPT_OUT),
         never=("status", "reason", "ip", "code", "tags", "suppressionreason", "groupid", "groupname")),
    Form("sendgrid-group-unsubscribes", "sendgrid", "SendGrid: unsubscribes of one group",
         {**_SG, "group": ("groupname", "groupid")}, ("address",), _always(PARTLY),
         never=("status", "reason", "ip", "code", "tags", "suppressionreason")),
    Form("sendgrid-blocks", "sendgrid", "SendGrid: blocks", _SG, ("address", "status"), _sendgrid_block),
)  # fmt: skip
FORMS = {form.code: form for form in _ALL}
NARROW = ("mailgun-unsubscribes", "sendgrid-group-unsubscribes")  # whose rows may opt out of one tag or group alone
# how a heading may call each field, for telling which columns are not looked at
HEADINGS = frozenset(each for form in _ALL for called in form.columns.values() for each in called) | {
    each for form in _ALL for each in form.never
}


def fitting(header: list[str]) -> list[Form]:
    """The lists that these columns could be of, those that look at most of them first."""
    found = [(form, places) for form in _ALL if (places := form.find(header)) is not None]
    return [form for form, _ in sorted(found, key=lambda each: -len(each[1]))]
