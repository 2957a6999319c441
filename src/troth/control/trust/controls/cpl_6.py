"""Control of CPL-6: a certificate that is not held is not claimed. None is held: there is no evidence of that kind."""

from collections.abc import Iterable, Iterator

from troth.control.approvals.artefacts import programme as artefact
from troth.control.trust import fences, promised, public_words
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.control.trust.public_words import Said
from troth.control.trust.web_probe import Place
from troth.rules.certificates import claimed

_OK = 200
# the look itself is shown these first, and the rule of what may be proposed
_SPELT = (
    "SOC 2 Type II", "S.O.C.\N{NO-BREAK SPACE}2", "\N{CYRILLIC CAPITAL LETTER DZE}OC 2", "soc\N{ZERO WIDTH SPACE}2",
    "ISO/IEC 27001:2022", "iso27001", "PCI-DSS", "HIPAA", "Cyber Essentials Plus", "FedRAMP", "HITRUST",
)  # fmt: skip


def check(look: Look, programme: Programme | None) -> Found:
    assert programme is not None
    findings = Findings()
    findings.take(fences.house(look.schema))
    findings.take(fences.tables(look.schema, "programme", "governed", "snapshot"))
    findings.need(all(map(claimed, _SPELT)), "the look itself does not see every spelling any more")
    findings.need(all(map(artefact.certificates, _SPELT)), "a programme that claims a certificate may be proposed")
    sentences = [Said(each.claim.id, each.sentence) for each in promised.promised(look.connection, programme)]
    kept = list(public_words.kept(look, programme))
    findings.take(_wrong([*sentences, *kept]))
    findings.seen |= {"sentences": len(sentences), "approved_texts": len(kept)}
    if look.outside.pages is None:
        findings.missing.append("nobody has said where the pages listen")
    else:
        _pages(findings, look, look.outside.pages, programme)
    return findings.done()


def _pages(findings: Findings, look: Look, place: Place, programme: Programme) -> None:
    """The programme's page must be there; of what it leads to, all that answers is read."""
    first, *others = public_words.pages(look, place, programme)
    if first.status != _OK:
        what = f"answers {first.status}" if first.status else "cannot be reached just now"
        findings.missing.append(f"the programme's page {what}")
    read = [page for page in (first, *others) if page.status == _OK]
    findings.seen["pages_read"] = len(read)
    findings.take(_wrong(said for page in read for said in public_words.shown(page)))


def _wrong(said: Iterable[Said]) -> Iterator[str]:
    """Which one is not said: the page shows these reasons, and would speak of it again."""
    yield from (f"{each.where} speaks of a certificate that nobody gave us" for each in said if claimed(each.words))


CONTROL = Control(
    "CPL-6",
    "cpl_6",
    HOUR,
    "Every sentence that is promised, every text that was approved in the programme's own name and every page that "
    "its public page leads to is read for the names of certificates, however they are spelt; none is held, so none "
    "may stand there. Of evidence the title and the file name are read; what is in a file, a picture or a hidden "
    "field is not.",
    check,
)
