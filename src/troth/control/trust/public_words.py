"""Claims: the words that we publish: those that the database holds of a programme, and those that its pages say when
they are asked for over the network, text and attributes alike.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Any

from troth.control.trust import web_probe
from troth.control.trust.look import Look, Programme
from troth.control.trust.web_probe import Place

_MOST = 40  # pages of one programme
_OWN = "SELECT name, domain FROM programme WHERE id = %s"
_GOVERNED = """
SELECT g.kind, g.code, s.artefact FROM governed g JOIN snapshot s ON s.id = g.snapshot_id
WHERE g.subject = %(programme)s AND g.kind = 'programme'
OR g.tenant_id = %(tenant)s AND NOT g.retired AND g.kind NOT IN ('api-key', 'designation') ORDER BY 1, 2
"""
_PIECES = "SELECT title, filename FROM evidence WHERE public AND (programme_id = %s OR programme_id IS NULL)"
# hashes and signatures say nothing; by the end of the path, since in a page they would hide what a reader sees
_WITHOUT = {
    "json": re.compile(r"[A-Za-z0-9+/=_-]{24,}"),
    "txt": re.compile(r"-----BEGIN PGP SIGNATURE-----.*?-----END PGP SIGNATURE-----", re.DOTALL),
}
_DRAWN = {"d", "points", "transform", "viewbox", "stroke-dasharray"}  # figures, which a pen reads


@dataclass(frozen=True, slots=True)
class Said:
    """Where it stands, and the words."""

    where: str
    words: str


@dataclass(slots=True)
class Page:
    """A path, and what it answered with; `status` 0: nobody answers."""

    path: str
    status: int
    body: bytes = field(repr=False, default=b"")

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def kept(look: Look, programme: Programme) -> Iterator[Said]:
    """What two people approved for everybody's eyes: the programme itself, and Troth's own mail under its name."""
    with look.of(None) as connection:
        for words in connection.execute(_OWN, (programme.id,)).fetchall():
            yield Said("the programme", " \n ".join(words))
        for words in connection.execute(_PIECES, (programme.id,)).fetchall():
            yield Said("public evidence", " \n ".join(words))
    tenants = [tenant.id for tenant in look.of_programme(programme) if tenant.system]
    for tenant in tenants or (None,):
        with look.of(tenant) as connection:
            rows = connection.execute(_GOVERNED, {"programme": programme.id, "tenant": tenant}).fetchall()
        for kind, code, artefact in rows:
            yield Said(f"the {kind} {code}", " \n ".join(_strings(json.loads(artefact))))


def _strings(value: Any) -> Iterator[str]:
    """Every word of a document, names of fields aside."""
    if isinstance(value, str):
        yield "".join(_texts(value)) if "<" in value else value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)


def pages(look: Look, place: Place, programme: Programme) -> Iterator[Page]:
    """The programme's page, first; then what it leads to of its own, each once; single promises are on it already."""
    home = f"/trust/{programme.code}"
    first = _page(look, place, home)
    yield first
    links = re.findall(r'href="([^"#]+)', first.text) if first.status == HTTPStatus.OK else []
    mine = (link.replace("&amp;", "&") for link in links if re.match(rf"{re.escape(home)}(?:[/?]|\Z)", link))
    found = [each for each in dict.fromkeys(mine) if not _read_elsewhere(each) and each != home]
    for path in found[:_MOST]:
        yield _page(look, place, path)
    for path in ("/trust", "/.well-known/security.txt"):
        yield _page(look, place, path)


def _read_elsewhere(path: str) -> bool:
    """Single promises are on the page; of evidence the title and the file's name are public words, its octets none."""
    return "/claims/" in path or "/evidence/" in path


def _page(look: Look, place: Place, path: str) -> Page:
    look.hurry()
    answer = web_probe.ask(place, "GET", path)
    return Page(path, 0) if answer is None else Page(path, answer.status, answer.body)


def shown(page: Page) -> Iterator[Said]:
    """What a page says: its text, with a blank for each mark and with none, since either may join words; attributes."""
    drawn = _WITHOUT.get(page.path.rpartition(".")[2])
    text = drawn.sub(" ", page.text) if drawn else page.text
    for words in _texts(text):
        yield Said(page.path, words)


class _Words(HTMLParser):
    """Texts and attributes' values."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self.values: list[str] = []

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.values.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        unread = {*_DRAWN, "value"} if _hidden(tag, attrs) else _DRAWN
        self.values += [value for name, value in attrs if value and name not in unread]


def _hidden(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    """A form's hidden value is nobody's to read: ours are drawn by chance, which would name a certificate some day."""
    return tag == "input" and "hidden" in [(value or "").lower() for name, value in attrs if name == "type"]


def _texts(html: str) -> tuple[str, ...]:
    read = _Words()
    read.feed(html)
    read.close()
    return "".join(read.texts), " ".join(read.texts), " \n ".join(read.values)
