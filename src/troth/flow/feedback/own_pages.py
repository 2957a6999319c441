"""Feedback: the recipient's own page, as HTML: why this came, what may be sent, what is held, and the ways out."""

from collections.abc import Collection, Iterator
from html import escape

from starlette.responses import Response

from troth.flow.feedback.held import KINDS
from troth.flow.feedback.own_view import Category, Told, View
from troth.flow.feedback.pages import page, when
from troth.flow.feedback.proof import FIELD
from troth.rules.consent import NEEDED
from troth.store.own import ConsentRow

REASONS = (
    ("stranger", "I never had anything to do with this sender."),
    ("deceives", "It is not what it says it is."),
    ("harms", "It is offensive, or it tries to do harm."),
    ("other", "Something else."),
)
SOURCE = "own-page"  # how the consent ledger calls this page
WORDS = 2_000  # characters of a report
_PATHWAYS = {
    "confirmation-link": "You confirmed your address through a link in an email",
    "multi-step": "You confirmed your address in several steps",
    "employer-invitation": "Your employer invited you",
    "vendor-agreement": "A vendor’s signed agreement names your address",
    "system": "It concerns an account, or asks you to confirm your address",
}
_BASES = {
    "contract": "an agreement with you, which it carries out",
    "legal-obligation": "a law that asks for it",
    "legitimate-interest": "a legitimate interest of the sender, weighed against yours",
    "consent": "your consent",
}
_GIVEN = {"express": "You gave consent", "implied": "Consent followed from your dealings with the sender",
          "withdrawn": "You took consent back"}  # fmt: skip
_SWITCHED = {"express": "You switched it on", "withdrawn": "You switched it off"}
_WISHED = {"express": "You agreed to it", "withdrawn": "You stopped it"}  # where it is not sent on consent, either
_LISTED = {
    1: "mail to it came back for good", 2: "a message was reported as spam", 3: "you asked for no more email",
    4: "a message was reported as spam", 5: "the operator of this service put it there",
    6: "mail to it came back again and again",
}  # fmt: skip
_NOTHING = Told()
BACK = '<p><a href="{home}">Back to your page</a></p>'

_YOURS = (
    '<p class="quiet">The link under your email leads here without a password: whoever has the email can open this '
    "page, see this message and move the switches, so think of it before you pass the email on.</p>"
)


def main(view: View, home: str, forms: dict[str, str], note: str = "") -> Response:
    """Everything at a glance; `forms`: a token for each act; `note`: what was just done."""
    parts = [f'<p class="note" role="status">{escape(note)}</p>'] if note else []
    parts += [_why(view), _switches(view, home, forms["set"]), _held(view, home, forms["copy"])]
    parts += [_abuse(view, home), _YOURS]
    return page("Why you got this email", "\n".join(parts), client=view.row.client)


def _why(view: View) -> str:
    row, said = view.row, view.said
    rows = [
        ("From", f"<b>{escape(row.client)}</b><br>{escape(row.postal_address)}"),
        ("What", f"<b>{escape(said['name'])}</b><br>{escape(said['purpose'])}"),
        ("Accepted", when(row.created_at)),
        ("Your address", escape(view.address) if view.address else "can be read by nobody"),
        ("How it got here", _pathway(view)),
        ("Lawful basis", _basis(view)),
    ]
    return _facts(rows)


def _facts(rows: list[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<div><dt>{name}</dt><dd>{what}</dd></div>" for name, what in rows) + "</dl>"


def _pathway(view: View) -> str:
    if view.row.verified_at is None:
        return _PATHWAYS["system"] + "."
    told = _PATHWAYS.get(view.row.pathway or "", "It was verified")
    return f"{told}, on {when(view.row.verified_at)}."


def _basis(view: View) -> str:
    told = _BASES.get(view.basis, "none is on record")
    latest = next((c for c in view.consents if c.category_id in (None, view.row.category_id)), None)
    if latest is None:
        return told[:1].upper() + told[1:] + "."
    until = f", until {when(latest.expires_at)}" if latest.expires_at else ""
    return f"{told[:1].upper()}{told[1:]}. {_given(view, latest)} on {when(latest.at)}{until}."


def _given(view: View, latest: ConsentRow) -> str:
    """What they said last; of mail that is not sent on consent, it was none."""
    kind = KINDS[latest.kind]
    other = {} if view.basis == NEEDED else _SWITCHED if latest.basis == SOURCE else _WISHED
    return other.get(kind, _GIVEN[kind])


def _switches(view: View, home: str, proof: str) -> str:
    head = f'<section aria-labelledby="may"><h2 id="may">What {escape(view.row.client)} may send you</h2>'
    if view.row.listed:
        why = " and ".join(dict.fromkeys(_LISTED[reason] for reason in view.row.listed))
        return (
            f"{head}<p>Nothing, and nor may any other sender here: your address is on the list of addresses that are "
            f"never written to, because {why}. It stays there, even if you are erased.</p></section>"
        )
    rows = "".join(_switch(each, view.row.client) for each in view.categories)
    return (
        f'{head}<form method="post" action="{home}">{hidden(proof)}<input type="hidden" name="covers" '
        f'value="{view.scope}"><fieldset><legend class="sr">Kinds of email</legend>{rows}</fieldset>'
        f'{_reach(view)}<button type="submit">Save</button></form></section>'
    )


def _switch(each: Category, client: str) -> str:
    law = (
        f"<small>The law asks for this one. Switched off, {escape(client)} brings it to you another way.</small>"
        if each.required
        else ""
    )
    on = " checked" if each.on else ""
    return (
        f'<label class="switch"><input type="hidden" name="shown" value="{each.shown}">'
        f'<input type="checkbox" name="on" value="{each.id}"{on}>'
        f"<span><b>{escape(each.name)}</b><small>{escape(each.purpose)}</small>{law}</span></label>"
    )


def _reach(view: View) -> str:
    if view.scope == "all":
        told = (
            "Switching any of them off stops all email to your address by this service, from every sender. That cannot "
            "be taken back here."
        )
    else:
        told = "What you switch off is not sent from that moment on, mail that is waiting included."
    return f'<p class="quiet">{told}</p>'


def _held(view: View, home: str, proof: str) -> str:
    row = view.row
    more = f'<a class="button" href="{home}/all">Everything…</a><a class="button" href="{home}/erase">Erase me…</a>'
    told = (
        '<p class="quiet">For everything, and for erasure, a code is mailed to your address first, so that nobody to '
        "whom this email was passed on can ask for them.</p>"
    )
    return (
        '<section aria-labelledby="held"><h2 id="held">What is held about you</h2>'
        f"<p>For {escape(row.client)}: your address, how it was verified, what you consented to, and the messages of "
        f"the last weeks with what became of them. First registered on {when(row.registered_at)}.</p>"
        f'<form method="post" action="{home}/copy">{hidden(proof)}<div class="row">'
        f'<button type="submit" class="plain">Download this message (JSON)</button>{more}</div></form>{told}</section>'
    )


def _abuse(view: View, home: str) -> str:
    told = (
        f"You reported this on {when(view.row.reported_at)}. A person looks at it."
        if view.row.reported_at
        else f'<a href="{home}/report">Report this message</a> to the people who run this service.'
    )
    return f'<section aria-labelledby="wrong"><h2 id="wrong">Is something wrong with it?</h2><p>{told}</p></section>'


def reported(view: View, home: str) -> Response:
    """Once a message."""
    told = f"You reported this on {when(view.row.reported_at)}. A person looks at it; there is nothing more to do."
    return page("Reported", f'<p class="sealed">{told}</p>{BACK.format(home=home)}', client=view.row.client)


def report(view: View, home: str, proof: str, fault: str = "", typed: Told = _NOTHING) -> Response:
    """What is wrong, in the recipient's words; and, where they wish, an end to the mail."""
    chosen, words = typed.reason, typed.words
    wrong = f'<p class="fault" role="alert" id="fault">{escape(fault)}</p>' if fault else ""
    mark = ' aria-describedby="fault" aria-invalid="true"' if fault else ""
    rows = "".join(
        f'<label class="switch"><input type="radio" name="reason" value="{value}"{on}>'
        f"<span>{escape(label)}</span></label>"
        for value, label in REASONS
        for on in (" checked" if value == chosen else "",)
    )
    content = (
        f"<p>The people who run this service for {escape(view.row.client)} will see the message, your address and what "
        f"you write here.{_nothing_else(view)}</p>{wrong}"
        f'<form method="post" action="{home}/report">{hidden(proof)}<fieldset{mark}><legend>What is wrong?</legend>'
        f'{rows}</fieldset><label for="words">In your own words (optional)</label>'
        f'<textarea id="words" name="words" rows="5" maxlength="{WORDS}">{escape(words)}</textarea>'
        f'{_stops(view, typed.stop)}<button type="submit">Send the report</button></form>' + BACK.format(home=home)
    )
    return page("Report this message", content, client=view.row.client, status=422 if fault else 200)


def _nothing_else(view: View) -> str:
    return " A report alone stops no email: tick below what should." if view.stops else ""


def _stops(view: View, ticked: Collection[str]) -> str:
    """What may end with the report; nothing is ticked before the recipient ticks it."""
    rows = "".join(
        f'<label class="switch"><input type="checkbox" name="stop" value="{name}"{_ticked(name, ticked)}>'
        f"<span>{escape(what)}<small>{then}</small></span></label>"
        for name, what, then in _ends(view)
        if name in view.stops
    )
    return f"<fieldset><legend>And from now on? (optional)</legend>{rows}</fieldset>" if rows else ""


def _ticked(name: str, ticked: Collection[str]) -> str:
    return " checked" if name in ticked else ""


def _ends(view: View) -> Iterator[tuple[str, str, str]]:
    """Each box: its name, what it stops, and whether that can be taken back."""
    client, back = view.row.client, "You can switch it on again on your page."
    for one in view.categories:
        if one.id == view.row.category_id:
            yield "category", f"Stop “{one.name}” from {client}.", back
    each = "You can switch each on again on your page."
    if any(one.required and one.on for one in view.categories):
        each += f" What the law asks for, {escape(client)} brings to you another way."
    yield "firm", f"Stop every kind of email that {client} sends.", each
    yield "all", "Stop all email to me by this service, from every sender.", "That cannot be taken back here."


def not_pressed(home: str) -> Response:
    """A form came without the page that shows it: nothing is believed to have been pressed."""
    return page(
        "Nothing was changed",
        "<p>The page that you pressed on is older than an hour, or your browser keeps no cookies. A cookie is how we "
        f"know that a person pressed, and not a program that follows links.</p>"
        f'<p><a href="{home}">Open your page again</a> and press once more.</p>',
        status=403,
    )


def hidden(token: str) -> str:
    return f'<input type="hidden" name="{FIELD}" value="{token}">'
