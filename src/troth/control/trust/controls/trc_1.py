"""Control of TRC-1: there is a public page of ten sections that says all that is promised, and how it stands."""

from collections.abc import Iterator

from troth.control.trust import fences, told_rows, trust_page, trust_page_said, web_probe
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.web_probe import Answer, Place

_OK = 200
_ALONE = {"default-src": "'none'", "base-uri": "'none'", "frame-ancestors": "'none'", "script-src": "'none'"}
_SOURCES = {"'none'", "'self'"}


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, "claim_state", "claim_history", "governed", "snapshot", "programme"))
    told_rows.as_told(findings, look, programme, "claims told")
    before = trust_page_said.stand(look, programme)
    if not before.sentences:
        findings.missing.append("no policy is in force, so that nothing is promised")
    elif look.outside.pages is None:
        findings.missing.append("nobody has said where the pages listen")
    else:
        _page(findings, look, look.outside.pages, programme, before)
    return findings.done()


def _page(findings: Findings, look: Look, place: Place, programme: Programme, before: trust_page_said.Stand) -> None:
    look.hurry()
    home = f"/trust/{programme.code}"
    answer, listed = web_probe.ask(place, "GET", home), web_probe.ask(place, "GET", "/trust")
    if answer is None or listed is None:
        findings.missing.append("the pages cannot be reached just now")
        return
    findings.need(f'href="{home}"'.encode() in listed.body, "the list of programmes does not lead to it")
    if answer.status != _OK:
        findings.wrong.append(f"the page answers {answer.status}")
        return
    findings.take(_manners(answer))
    page = trust_page.read(answer.body.decode("utf-8", "replace"))
    findings.take(f"the page has {what}" for what in dict.fromkeys(page.active))
    # somebody else's look may end while the page is made: it says what was so before, or after
    findings.take(trust_page_said.wrong(page, (before, trust_page_said.stand(look, programme))))
    findings.seen |= {"sections": len(page.sections), "promises_on_the_page": len(page.promises)}


def _manners(answer: Answer) -> Iterator[str]:
    """It is a page for anybody, and can do nothing."""
    headers = answer.headers
    policy = dict(each.strip().partition(" ")[::2] for each in headers.get("content-security-policy", "").split(";"))
    if not headers.get("content-type", "").startswith("text/html"):
        yield "it is no page of HTML"
    for name, wanted in _ALONE.items():
        if policy.get(name, wanted if name == "script-src" else "").strip() != wanted:
            yield f"its Content-Security-Policy does not say {name} {wanted}"
    if strange := {source for value in policy.values() for source in value.split()} - _SOURCES:
        yield f"its Content-Security-Policy lets in {', '.join(sorted(strange))}"
    if headers.get("x-content-type-options") != "nosniff":
        yield "its type may be guessed"
    if answer.cookies:
        yield "it sets a cookie"


CONTROL = Control(
    "TRC-1",
    "trc_1",
    HOUR,
    "The page is asked for over the network, as anybody asks: it has its ten sections, every promise of the policy in "
    "force once, in its words and in the state that the last check found, no script, and a policy that lets none in.",
    check,
)
