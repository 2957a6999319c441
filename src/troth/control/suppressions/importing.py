"""Suppressions: another provider's export as an import: which list it is, what each row comes to, and carrying it out.

It plugs into control/imports, which receives, seals, shows, has approved and resumes.
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from troth.control.audit.scope import Connection
from troth.control.imports.importer import (
    Choice,
    Column,
    Ground,
    Options,
    Read,
    Row,
    Taken,
    Unfit,
    Unreadable,
    Words,
    Work,
)
from troth.control.imports.table import DETECT
from troth.control.suppressions.exports import tables
from troth.control.suppressions.exports.forms import (
    FORMS,
    HEADINGS,
    NARROW,
    OPT_OUT,
    PARTLY,
    Form,
    Left,
    Said,
    fitting,
    fold,
)
from troth.control.suppressions.words import REASONS
from troth.keys import places
from troth.mail.address import AddressError, parse_address

_CODES = {number: code for code, number in REASONS.items()}
LIST, PARTIAL = "list", "partly"
_LEAVE, _WHOLE = "leave-out", "everything"
_PARTLY_HINT = "It opts out of one tag or group alone: choose what that counts for when you import it."
_NO_ADDRESS = "This is no address that mail could go to."
_CATEGORIES = """
SELECT g.code, g.subject, coalesce(s.artefact::jsonb ->> 'name', g.code)
FROM troth.governed g JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE g.kind = 'category' AND g.tenant_id = %s AND NOT g.retired ORDER BY g.code LIMIT 500
"""
_SUPPRESS = "SELECT troth.suppress_import_v1(%s, %s, %s, %s, %s)"
_OPT_OUT = "SELECT troth.opt_out_import_v1(%s, %s, %s, %s)"
_ADDED, _THERE = "added", "on the list already"


class _Words(Words):
    """Headings are known by any provider's name for them."""

    def ignored(self, header: Sequence[str]) -> list[str]:
        return [each for each in header if fold(each) not in HEADINGS]


class Suppressions:
    """The Importer of kind `suppressions`."""

    kind = "suppressions"
    words = _Words(
        forms="The export as the provider gives it: CSV, or the JSON that its API answers.",
        shape="CSV with the columns that the provider’s own export names, Amazon SES’s bulk file without a first line, "
              "or the JSON of the API’s answer. Other columns are not looked at. The same entry twice is taken "
              "once; an address with two reasons, or two days, has both.",
        title="Import suppressions", section="suppressions", back="/suppressions", rows="addresses",
        columns=(Column("address", ("email", "email address"), required=True, hint="as the export has it"),
                 Column("reason", hint="where the list has one"), Column("since", hint="its date, where it has one")),
        lede="A list that another provider kept for you: bounces, complaints and opt-outs, as its export file or its "
             "API’s answer has them. What is on it is suppressed for good, for every client’s mail, so the second "
             "person is somebody of the operator.",
        undo="It cannot be undone: what is on the list stays. An override, by two people, lets one client’s mail "
             "through.",
    )  # fmt: skip

    def opened(self, parts: Iterator[bytes], encoding: str = DETECT) -> tables.Opened:
        """CSV or JSON."""
        return tables.opened(parts, encoding)

    def choices(self, connection: Connection, tenant: UUID | None) -> tuple[Choice, ...]:
        own = connection.execute(_CATEGORIES, (tenant,)).fetchall() if tenant else []
        lists = Choice(LIST, "Which list it is", tuple((form.code, form.label) for form in FORMS.values()),
                       hint="Each provider’s lists are files of their own.")  # fmt: skip
        partial = (
            (_LEAVE, "leave such rows out, each with its line"),
            *((str(subject), f"an opt-out of “{name}”", code) for code, subject, name in own),
            (_WHOLE, "an opt-out of everything"),
        )
        return (lists, Choice(PARTIAL, "Opt-outs of one tag or group alone are", partial, only=(LIST, NARROW)))

    def begin(self, header: Sequence[str], options: Options, ground: Ground, /) -> Read:
        """Raise Unreadable where the columns are not those of the list that was chosen."""
        del ground
        form = FORMS[options[LIST]]
        found = form.find(list(header))
        if found is None:
            raise Unreadable(_another(form, list(header)))
        folded = [fold(each) for each in header]
        for place in found.values():
            if folded.count(folded[place]) > 1:
                raise Unreadable(f"Two columns are called “{header[place]}”: leave one out.")
        partly = options.get(PARTIAL, _LEAVE)

        def read(cells: Sequence[str]) -> Row:
            try:
                said = form.read({name: cells[place] for name, place in found.items()})
            except Left as left:
                raise Unfit(left.code, left.hint) from None
            return _row(form, said, partly)

        return read

    def then(self, options: Options, n: int, /) -> str:
        said = FORMS[options[LIST]].label
        where = f"{n:,} entries ({said}) go onto the one list for all clients: nothing is sent to them any more, ever."
        return f"{where} So somebody of the operator approves it."

    def apply(self, work: Work, taken: Sequence[Taken], /) -> Mapping[str, int]:
        """Two statements, or one a category: what the list lacks is added."""
        provider = FORMS[work.options[LIST]].provider
        made = Counter({_ADDED: 0, _THERE: 0})
        wide: list[Mapping[str, str]] = []
        narrow: defaultdict[str, list[Mapping[str, str]]] = defaultdict(list)
        for each in taken:
            (narrow[each.value["category"]] if each.value["category"] else wide).append(each.value)
        made[_ADDED] = _suppress(work, provider, wide)
        for category, few in narrow.items():
            values = (work.id, [_index(work, each) for each in few], UUID(category), f"import:{provider}:{work.id}")
            made[_ADDED] += _number(work, _OPT_OUT, values)
        made[_THERE] = len(taken) - made[_ADDED]
        return {word: n for word, n in made.items() if n}


def _another(form: Form, header: list[str]) -> str:
    likely = [each.label for each in fitting(header)[:3]]
    wanted = ", ".join(form.columns[each][0] for each in form.must)
    said = f"The columns are not those of “{form.label}”, which has at least: {wanted}."
    if not likely:
        return f"{said} They are of no list that can be imported: export it again, with its first line."
    return f"{said} They fit {' or '.join(f'“{each}”' for each in likely)}: choose that list, if it is this one."


def _row(form: Form, said: Said, partly: str) -> Row:
    try:
        address = parse_address(said.address)
    except AddressError:
        raise Unfit("address", _NO_ADDRESS if said.address else "There is no address.") from None
    reason, category = said.reason, ""
    if reason == PARTLY and partly == _LEAVE:
        raise Unfit("partly", _PARTLY_HINT)
    if reason == PARTLY:
        reason, category = (OPT_OUT, "") if partly == _WHOLE else (PARTLY, partly)
    value = {"address": address.addr_spec, "normal": address.normal, "reason": _CODES[reason], "category": category,
             "since": said.since.isoformat() if said.since else ""}  # fmt: skip
    # the same address with another reason, or another day, contradicts nothing: each is a row of its own
    told = "\0".join((address.normal, str(reason), category, value["since"], address.addr_spec, form.code))
    return Row(hashlib.sha256(told.encode()).digest(), value)


def _suppress(work: Work, provider: str, some: Sequence[Mapping[str, str]]) -> int:
    indexes = [_index(work, each) for each in some]
    sources = [f"import:{provider}:{work.id}{_day(each)}" for each in some]
    addresses = [
        work.keys.operator.seal(each["address"].encode(), places.suppression(index))
        for each, index in zip(some, indexes, strict=True)
    ]
    reasons = [REASONS[each["reason"]] for each in some]
    return _number(work, _SUPPRESS, (work.id, indexes, reasons, sources, addresses)) if some else 0


def _day(each: Mapping[str, str]) -> str:
    return f":{each['since']}" if each["since"] else ""


def _index(work: Work, each: Mapping[str, str]) -> bytes:
    return work.keys.secrets.blind_index().index(each["normal"])


def _number(work: Work, query: str, values: tuple[object, ...]) -> int:
    row = work.connection.execute(query, values).fetchone()
    return int(row[0]) if row else 0


SUPPRESSIONS = Suppressions()
