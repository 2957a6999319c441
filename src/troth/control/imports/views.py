"""Imports, for people: a file handed in, what was found in it line by line, the proposal, and how far it is."""

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.accesses import looked
from troth.control.audit.asking import row
from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import within
from troth.control.imports import receiving, rows
from troth.control.imports.checking import ENCODING, MOST
from troth.control.imports.importer import Importer
from troth.control.imports.importer import said as importer_said
from troth.control.imports.receiving import Sealed, Sealing
from troth.control.imports.rows import CHECKED, RECEIVED, Import
from troth.control.imports.table import DETECT, LATIN
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.people.permissions import allowed
from troth.control.tenants.seeking import keys_of
from troth.keys.ids import uuid7
from troth.keys.keyring import TenantKeys
from troth.ledger.canonical import canonical_document

type Importers = Mapping[str, Importer]

PAGE = 50
_SHOWN = 10  # rows of a preview
_DOUBTS = 20  # lines that are taken with a doubt; the file has them all
_LONGEST = 2000  # characters of a source or a reason
_ENCODINGS = ((DETECT, "UTF-8 or UTF-16", "found by itself"), (LATIN, "Latin-1 (Windows-1252)", "older programs"))
_ONE = {"consents recorded": "consent recorded", "consents on record already": "consent on record already"}
# the look's word, and what it says
STATES = {
    1: ("pending", "Being checked"),
    2: ("none", "Checked"),
    3: ("moving", "Being carried out"),
    4: ("holds", "Done"),
    5: ("fails", "Cannot be read"),
    6: ("withdrawn", "Discarded"),
}


@dataclass(frozen=True, slots=True)
class Wrong:
    """A line of the summary of what is wrong, as web/form/errors.html draws one."""

    to: str
    label: str
    sentence: str


@csrf_exempt  # the token is asked for below, once it is said how the file is taken in
@needs("import:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, importer: Importer) -> HttpResponseBase:
    """GET and POST <its room>/import: a file, and where it comes from."""
    actor = actor_of(request)
    if actor.scope is None and not importer.words.house:
        what = {"section": importer.words.section, "what": importer.words.section.capitalize()}
        return render(request, "web/choose.html", what)
    now = changes.clock(raw())
    scoped(actor.scope)
    sealing = Sealing(_own(actor), uuid7(now))
    request.upload_handlers = [sealing]
    return _new(request, importer, sealing)


@csrf_protect
def _new(request: HttpRequest, importer: Importer, sealing: Sealing) -> HttpResponse:
    actor = actor_of(request)
    choices = importer.choices(raw(), actor.scope)
    typed = {each.name: each.of[0][0] for each in choices if each.of} | {ENCODING: DETECT, "source": ""}
    faults: dict[str, str] = {}
    if request.method == "POST":
        typed |= {name: _typed(request, name) for name in typed}
        faults = _faults(typed, importer, actor, sealing.sealed)
        if not faults and sealing.sealed is not None:
            return _received(actor, importer, typed, sealing.sealed)
    labels = {"file": "File", "source": "Where it comes from", ENCODING: "Encoding"}
    labels |= {each.name: each.label for each in choices}
    context = {
        "section": importer.words.section,
        "words": importer.words,
        "choices": choices,
        "encodings": _ENCODINGS,
        "typed": typed,
        "faults": faults,
        "wrong": [Wrong(f"f-{name}", labels[name], sentence) for name, sentence in faults.items()],
        "most": _LONGEST,
        "most_rows": MOST,
        "most_octets": receiving.MOST >> 20,
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "imports/new.html", context, status=status)


def _faults(typed: dict[str, str], importer: Importer, actor: Actor, sealed: Sealed | None) -> dict[str, str]:
    found = {}
    if sealed is None:
        found["file"] = "Choose a file."
    elif sealed.too_long:
        found["file"] = f"The file has more than {receiving.MOST >> 20} MiB: split it, and import each part."
    elif not sealed.octets:
        found["file"] = "The file is empty. Choose another."
    if not typed["source"]:
        found["source"] = "Say where these rows come from: the person who approves reads it, and it is kept."
    elif len(typed["source"]) > _LONGEST:
        found["source"] = f"{_LONGEST:,} characters are the most: shorten it."
    asked = {each.name: {one[0] for one in each.of} for each in importer.choices(raw(), actor.scope)}
    asked[ENCODING] = {each[0] for each in _ENCODINGS}
    found |= {name: "Choose one of these." for name, known in asked.items() if typed[name] not in known}
    if found and sealed is not None and "file" not in found:
        found["file"] = "Choose the file again: a browser does not keep it."
    return found


def _received(actor: Actor, importer: Importer, typed: dict[str, str], sealed: Sealed) -> HttpResponse:
    options = {name: value for name, value in typed.items() if name != "source"}
    text = canonical_document(options).decode()
    what = (sealed.id, actor.scope, importer.kind, sealed.name[:200], typed["source"], text)
    how = (sealed.digest, sealed.octets, len(sealed.lengths), actor.secret)
    rows.call(raw(), "import_receive_v1", *what, *how)
    for n, part in enumerate(sealed.parts()):
        rows.call(raw(), "import_part_v1", sealed.id, n, part)
    return HttpResponseRedirect(f"/imports/{sealed.id}")


@needs("import:read")
@require_safe
def listed(request: HttpRequest, importers: Importers) -> HttpResponse:
    """GET /imports?before="""
    actor = actor_of(request)
    before = _uuid(request.GET.get("before", ""))
    found = rows.newest(raw(), actor.scope, before, PAGE + 1)
    context = {
        "section": "recipients",
        "lines": [(each, importers[each.kind].words.title, _state(each)) for each in found[:PAGE]],
        "older": f"/imports?before={found[PAGE - 1].id}" if len(found) > PAGE else "",
        "further": before is not None,
        "ways": [
            (f"{each.words.back}/import", each.words.title)
            for each in importers.values()
            if actor.scope is not None or each.words.house
        ],
    }
    return render(request, "imports/list.html", context)


@needs("import:read")
@require_safe
def shown(request: HttpRequest, importers: Importers, subject: UUID) -> HttpResponse:
    """GET /imports/<import>?line=: `line` is the last of the lines that were shown before."""
    actor = actor_of(request)
    return _shown(request, actor, importers, _access(actor, subject), {}, {})


def _shown(
    request: HttpRequest, actor: Actor, importers: Importers, one: Import, typed: dict[str, str], faults: dict[str, str]
) -> HttpResponse:
    importer = importers[one.kind]
    line = request.GET.get("line", "")
    after = int(line) if line.isascii() and line.isdigit() and len(line) < 9 else 0
    left_out = rows.faults(raw(), one.id, after, PAGE + 1)
    change = _change(one)
    context = {
        "section": importer.words.section,
        "words": importer.words,
        "one": one,
        "state": _state(one, waiting=change is not None),
        "change": change,
        "left_out": left_out[:PAGE],
        "asking": rows.asking(raw(), one.id),
        "doubts": rows.faults(raw(), one.id, 0, _DOUBTS, taken=True),
        "further": after,
        "next": left_out[PAGE - 1][0] if len(left_out) > PAGE else 0,
        "moving": one.state in (RECEIVED, 3),
        "preview": _preview(actor, importer, one),
        "hidden": not allowed(actor, "message:content"),
        "may": allowed(actor, "import:propose"),
        "chosen": importer_said(importer.choices(raw(), actor.scope), one.chosen),
        "became": [(_ONE.get(word, word) if n == 1 else word, n) for word, n in one.became.items()],
        "then": one.notes[0] if one.notes else "",
        "notes": one.notes[1:],
        "typed": typed,
        "faults": faults,
        "most": _LONGEST,
        "touched": f"{one.good or 0:,} {importer.words.rows}.",
        "undo": importer.words.undo,
        "leaving": f"Leave out {_lines(one.bad or 0)} that cannot be taken",
        "drop_to": f"/imports/{one.id}/drop",
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if faults else HTTPStatus.OK
    return render(request, "imports/one.html", context, status=status)


def _lines(n: int) -> str:
    return "the one line" if n == 1 else f"the {n:,} lines"


def _preview(actor: Actor, importer: Importer, one: Import) -> list[tuple[int, list[tuple[str, str]]]]:
    """The first rows that would be taken, for whoever may see addresses; each look is in the ledger."""
    if one.state != CHECKED or not one.chunks or not allowed(actor, "message:content"):
        return []
    taken = rows.chunk(raw(), one, _own(actor), 0).rows[:_SHOWN]
    looked("access:import:preview", one.tenant_id, actor.account_id, of=one.id, shown=len(taken))
    filled = {name for each in taken for name, cell in each.value.items() if cell}
    names = [column.name for column in importer.words.columns if column.required or column.name in filled]
    return [(each.line, [(name, each.value.get(name, "")) for name in names]) for each in taken]


@needs("import:read")
@require_safe
def faults_file(request: HttpRequest, subject: UUID) -> FileResponse:
    """GET /imports/<import>/left-out.csv: every line that is left out, or taken with a doubt, with its reason."""
    one = _access(actor_of(request), subject)
    whole = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    whole.writelines(_csv(one))  # within the request's transaction
    whole.seek(0)
    return FileResponse(whole, as_attachment=True, filename=f"left-out-{one.id}.csv", content_type="text/csv")


def _csv(one: Import) -> Iterator[bytes]:
    yield b"line,code,reason\r\n"
    for taken in (False, True):
        after = 0
        while found := rows.faults(raw(), one.id, after, 10_000, taken=taken):
            quoted = ((line, code, hint.replace('"', '""')) for line, code, hint in found)
            yield "".join(f'{line},{code},"{hint}"\r\n' for line, code, hint in quoted).encode()
            after = found[-1][0]


@needs("import:propose")
@require_safe
def sample(request: HttpRequest, importer: Importer) -> HttpResponse:
    """GET <its room>/import/sample.csv: a few rows as they should be, to begin from."""
    del request
    out = io.StringIO(newline="")
    named = [each.name for each in importer.words.columns]
    csv.writer(out).writerows([named, *importer.words.sample])
    name = f'attachment; filename="{importer.kind}.csv"'
    return HttpResponse(out.getvalue(), content_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})


@needs("import:propose")
@require_POST
def propose(request: HttpRequest, importers: Importers, subject: UUID) -> HttpResponse:
    """POST /imports/<import>/propose: `left_out` says yes to what is not taken."""
    actor = actor_of(request)
    one = _access(actor, subject)
    typed = {
        name: request.POST.get(name, "").replace("\0", "").strip()[: _LONGEST + 1] for name in ("reason", "left_out")
    }
    faults = {}
    if not typed["reason"] or len(typed["reason"]) > _LONGEST:
        faults["reason"] = "Say why, for the person who approves." if not typed["reason"] else (
            f"{_LONGEST:,} characters are the most: shorten it.")  # fmt: skip
    if one.bad and not typed["left_out"]:
        faults["left_out"] = "Tick this, or correct the file and import it again."
    if not faults:
        try:
            made = changes.propose(raw(), actor.secret, _proposal(one, typed["reason"]))
        except Refused as refused:
            faults = {"": refused.sentence}
        else:
            messages.success(request, "Proposed. Nothing is imported until a second person approves.", "proposed")
            return HttpResponseRedirect(f"/changes/{made.id}")
        finally:
            scoped(actor.scope)
    return _shown(request, actor, importers, one, typed, faults)


def _proposal(one: Import, reason: str) -> Proposal:
    artefact = {
        "of": one.kind, "file": one.name, "sha256": one.digest.hex(), "rows_sha256": (one.rows_digest or b"").hex(),
        "source": one.source, "lines": one.lines, "rows": one.good, "left_out": one.bad, "repeated": one.same,
        "options": one.chosen,
    }  # fmt: skip
    return Proposal("import", str(one.id), artefact, reason, one.tenant_id, one.id)


@needs("import:propose")
@require_POST
def drop(request: HttpRequest, importers: Importers, subject: UUID) -> HttpResponse:
    """POST /imports/<import>/drop: nothing of it is kept but that it was there."""
    actor = actor_of(request)
    one = _access(actor, subject)
    try:
        with refusals(), within(raw(), actor.scope):
            rows.call(raw(), "import_drop_v1", one.id, actor.secret)
    except Refused as refused:
        return _shown(request, actor, importers, one, {}, {"": refused.sentence})
    messages.success(request, f"Discarded: nothing of “{one.name}” was imported, and its rows are gone.", "withdrawn")
    return HttpResponseRedirect(importers[one.kind].words.back)


def _access(actor: Actor, subject: UUID) -> Import:
    """Missing and another client's read the same: Http404."""
    found = rows.find(raw(), subject)
    if found is None or found.tenant_id != actor.scope:
        raise Http404
    return found


def _typed(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[: _LONGEST + 1]


def _own(actor: Actor) -> TenantKeys:
    if actor.scope is not None:
        return keys_of(actor.scope)
    own: TenantKeys = settings.TROTH_KEYS().operator
    return own


def _change(one: Import) -> UUID | None:
    """Its change, when one is open or was approved."""
    query = """
    SELECT id FROM troth.change
    WHERE kind = 'import' AND subject = %s AND (state = 2 OR (state = 1 AND expires_at > troth.now_v1()))
    ORDER BY proposed_at DESC LIMIT 1
    """
    found = row(query, one.id)
    return found[0] if found else None


def _state(one: Import, *, waiting: bool = False) -> tuple[str, str]:
    if one.state == CHECKED and waiting:
        return "proposed", "Waits for a second person"
    return STATES[one.state]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
