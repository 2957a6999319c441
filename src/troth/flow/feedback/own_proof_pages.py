"""Feedback: the pages about what reaches beyond one mail, which takes a code: everything that is held, and erasure; as
HTML.
"""

from datetime import datetime
from html import escape

from starlette.responses import Response

from troth.flow.feedback.own_pages import BACK, hidden
from troth.flow.feedback.own_view import View
from troth.flow.feedback.pages import page, when
from troth.flow.feedback.proving import WHAT, Act

_CLOSE = "<p>There is nothing more to do. This page may be closed.</p>"
_MAIL = '<button type="submit"{stop}>Mail me a code</button></form>'


def everything(view: View, home: str, proof: str, fault: str = "") -> Response:
    """What a copy of everything holds, and how somebody comes by it."""
    client = escape(view.row.client)
    content = (
        f"<p>For <b>{client}</b>: your address, how it was verified, each consent with its wording, every switch, and "
        "each message that is kept, with what it said. What other senders hold about you is theirs: each message of "
        f"theirs has its own link.</p>{_code_first(view)}{_wrong(fault)}"
        f'<form method="post" action="{home}/all">{hidden(proof)}{_tick("Mail the code to this address.", fault)}'
        f"{_MAIL.format(stop='')}{BACK.format(home=home)}"
    )
    return page("Everything that is held about you", content, client=view.row.client, status=422 if fault else 200)


def erase(view: View, home: str, proof: str, fault: str = "") -> Response:
    """The consequence in words, before it is so."""
    content = (
        f"<p>This cannot be undone. {_consequences(view)}{_code_first(view)}{_wrong(fault)}"
        f'<form method="post" action="{home}/erase">{hidden(proof)}'
        f"{_tick('I understand that this cannot be undone.', fault)}{_MAIL.format(stop=' class="stop"')}"
        f"{BACK.format(home=home)}"
    )
    return page("Erase you?", content, client=view.row.client, status=422 if fault else 200)


def _code_first(view: View) -> str:
    return (
        f"<p>First a code goes to <b>{escape(view.address or 'your address')}</b>. It works for half an hour, once, in "
        "this browser. Until you type it, nothing is done.</p>"
    )


def _wrong(fault: str) -> str:
    return f'<p class="fault" role="alert" id="fault">{escape(fault)}</p>' if fault else ""


def _tick(words: str, fault: str) -> str:
    mark = ' aria-describedby="fault" aria-invalid="true"' if fault else ""
    return f'<label class="switch"><input type="checkbox" name="sure" value="yes"{mark}><span>{words}</span></label>'


def _consequences(view: View) -> str:
    client = escape(view.row.client)
    if view.row.system:
        return (
            "It concerns the request in this email alone:</p><ul>"
            "<li>the link and the code in it serve no more, and it is not sent if it waits;</li>"
            "<li>our own copy of your address goes, unless another sender here has it, or you have an account;</li>"
            "<li>the sender that asked for this email keeps what it holds, and may ask you again: ask it there "
            "too.</li></ul>"
        )
    return (
        f"For <b>{client}</b>:</p><ul>"
        "<li>your address, and what the messages to you said, can be read by nobody any more;</li>"
        "<li>messages that are waiting are not sent, and no new ones are taken; nor is a request to confirm your "
        "address;</li>"
        f"<li>links in earlier messages show you nothing more; {client} keeps what it holds elsewhere, so ask it there "
        "too;</li><li>if your address is on the list of addresses that are never written to, it stays there in a form "
        "that cannot be read back, as the law asks;</li><li>what other senders hold about you is theirs: each message "
        "of theirs has its own link.</li></ul>"
    )


def erased(view: View) -> Response:
    if view.row.system:
        told = (
            "The request in this email is withdrawn: its link and its code serve no more. No sender is told that it "
            "was you."
        )
        return page("Withdrawn", f'<p class="sealed">{told}</p>{_CLOSE}', client=view.row.client)
    client = escape(view.row.client)
    told = f"What was held about you for {client} can be read by nobody any more, and nothing is sent to you."
    return page("You have been erased", f'<p class="sealed">{told}</p>{_CLOSE}', client=view.row.client)


def over(view: View, status: int = 200) -> Response:
    """What any link shows afterwards: that it is so, and nothing of what it was about."""
    row = view.row
    if row.system and row.withdrawn_at:
        told = (
            f"The request in this email was withdrawn on {when(row.withdrawn_at)}. Its link and its code serve no "
            "more, and this page shows nothing of it."
        )
        return page("Withdrawn", f'<p class="sealed">{told}</p>{_CLOSE}', status=status)
    told = (
        f"You were erased on {when(row.erased_at)}. What remains is that there was a "
        "message, and when; your address and what it said can be read by nobody any more. Its sender sends you nothing."
    )
    return page("You were erased", f'<p class="sealed">{told}</p>{_CLOSE}', status=status)


def typing(view: View, home: str, of: tuple[str, str, Act], fault: str = "") -> Response:
    """Where the code is typed. of: the form's proof, the code's id, and what it is for."""
    proof, code, act = of
    mark = ' aria-describedby="fault" aria-invalid="true"' if fault else ""
    what = "Erase me" if act is Act.ERASE else "Download everything (JSON)"
    stop = ' class="stop"' if act is Act.ERASE else ""
    stays = "" if act is Act.ERASE else "With the right code your browser saves the file, and this page stays. "
    content = (
        f"<p>We mailed a code to <b>{escape(view.address or 'your address')}</b>. It is for this alone: "
        f"{WHAT[act]}.</p>{_wrong(fault)}"
        f'<form method="post" action="{home}/code">{hidden(proof)}<input type="hidden" name="shown" value="{code}">'
        f'<label for="code">The code in the email</label><input id="code" name="code" class="code" inputmode="numeric" '
        f'autocomplete="one-time-code" maxlength="12" required{mark}>'
        f'<button type="submit"{stop}>{what}</button></form>'
        f'<p class="quiet">{stays}The email can take some minutes to arrive. Look among what was '
        f"sorted out as spam, too.</p>{BACK.format(home=home)}"
    )
    return page("Type the code", content, client=view.row.client, status=422 if fault else 200)


def dead(view: View, home: str) -> Response:
    return page(
        "This code serves no more",
        "<p>Nothing was done. A code works for half an hour, once, in the browser that asked for it, and five wrong "
        f'ones end it.</p><p>Ask for another: <a href="{home}/all">everything that is held</a>, or '
        f'<a href="{home}/erase">erasure</a>.</p>{BACK.format(home=home)}',
        client=view.row.client,
        status=410,
    )


def later(view: View, home: str, *, often: bool) -> Response:
    """No code was mailed."""
    why = (
        "This address was mailed as many codes as it may be for now: three an hour, ten a day. Look for the last of "
        "them, or ask again in an hour."
        if often
        else "A code cannot be mailed just now. Ask again in an hour."
    )
    content = f"<p>Nothing was done. {why}</p>{BACK.format(home=home)}"
    return page("No code was mailed", content, client=view.row.client, status=429 if often else 503)


def tasked(view: View, home: str, act: Act, due: datetime) -> Response:
    """Who cannot be mailed is answered by the firm."""
    client, address = escape(view.row.client), escape(view.row.postal_address)
    what = "your wish to be erased" if act is Act.ERASE else "your wish for a copy of everything that is held"
    content = (
        f"<p>Your address may not be mailed, so no code can reach you. {client} was told of {what}, and has until "
        f"{when(due)} to answer. It has to make sure that it is you, and asks you in its own way.</p>"
        f"<p>You may write to it, too: {client}, {address}.</p>{BACK.format(home=home)}"
    )
    return page("The sender was asked", content, client=view.row.client)
