"""Before the river: is this MJML, and what HTML does it make? `mrml` compiles; what it would pass over in silence or
refuse without a line (FACTS 33) is found here first, by name and line.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

import mrml

from troth.mail.html_pieces import Piece
from troth.mail.template_scan import TemplateFault

MAX_DEPTH = 60  # elements within one another: the compiler goes down one by one
_BLOCKS = "mj-accordion mj-button mj-carousel mj-divider mj-image mj-navbar mj-raw mj-social mj-spacer mj-table mj-text"
_HEAD = "mj-attributes mj-breakpoint mj-font mj-preview mj-raw mj-style mj-title"
# what may stand inside of what; an element that holds HTML has none
_INSIDE = {
    "mjml": "mj-head mj-body",
    "mj-head": _HEAD,
    "mj-body": "mj-section mj-wrapper mj-hero mj-raw",
    "mj-wrapper": "mj-section mj-hero mj-raw",
    "mj-section": "mj-column mj-group mj-raw",
    "mj-group": "mj-column mj-raw",
    "mj-column": _BLOCKS,
    "mj-hero": _BLOCKS,
    "mj-accordion": "mj-accordion-element",
    "mj-accordion-element": "mj-accordion-title mj-accordion-text",
    "mj-carousel": "mj-carousel-image",
    "mj-social": "mj-social-element",
    "mj-navbar": "mj-navbar-link",
    **dict.fromkeys(("mj-breakpoint", "mj-font", "mj-divider", "mj-image", "mj-spacer", "mj-carousel-image"), ""),
}
_HTML = frozenset(
    [
        "mj-text",
        "mj-button",
        "mj-table",
        "mj-raw",
        "mj-accordion-title",
        "mj-accordion-text",
        "mj-social-element",
        "mj-navbar-link",
        "mj-style",
        "mj-title",
        "mj-preview",
    ]
)
_ATTRIBUTES = "mj-attributes"  # its children are any names, all empty
_KNOWN = frozenset({*_INSIDE, *_HTML, _ATTRIBUTES})
_DEFAULTS = _KNOWN | {"mj-all", "mj-class"}
_WHY = {"mj-include": "a template stands alone; what all of a client's mail shares belongs in its layout"}
_inline_re = re.compile(r"""\binline\s*=\s*["']inline["']""")
_unquoted_re = re.compile(r"=\s*[^\s\"'>=]")
_single_re = re.compile(r"(\"[^\"]*\")|'([^']*)'")
_src_re = re.compile(r"(?:^|\s)src\s*=")


def compile_mjml(text: str) -> str:
    """The HTML. No fonts are fetched that the source does not name. Raises TemplateFault (the checks come first)."""
    try:
        return mrml.to_html(text, render_options=mrml.RenderOptions(fonts={})).content
    except OSError as error:
        raise TemplateFault("syntax", 1, f"This is not MJML: {error}.") from error


def check(pieces: Iterable[Piece]) -> None:
    """Raise TemplateFault for the first thing that mrml would refuse, pass over, or fetch from elsewhere."""
    opened: list[Piece] = []
    seen: list[str] = []
    for piece in pieces:
        if piece.kind == "start":
            _start(piece, opened, seen)
            seen.append(piece.name)
            if not piece.closes_itself:
                opened.append(piece)
        elif piece.kind == "end":
            _end(piece, opened)
        elif piece.kind == "text":
            _text(piece, opened)
        elif piece.kind == "other" and opened:
            raise TemplateFault("syntax", piece.line, f"{piece.text[:20]} may not stand inside of MJML; remove it.")
    if opened:
        raise TemplateFault("syntax", opened[-1].line, f"<{opened[-1].name}> is not closed with </{opened[-1].name}>.")
    if "mjml" not in seen or "mj-body" not in seen:
        raise TemplateFault("syntax", 1, "MJML begins with <mjml> and has one <mj-body> in it.")


def take_inline_styles(pieces: Sequence[Piece]) -> tuple[list[Piece], str]:
    """The pieces without each <mj-style inline="inline">, and what these said: we put them into elements, not mrml."""
    kept: list[Piece] = []
    rules: list[str] = []
    taking = False
    for piece in pieces:
        if piece.name == "mj-style" and piece.kind == "start":
            taking = bool(_inline_re.search(piece.rest)) and not piece.closes_itself
        if not taking:
            kept.append(piece)
        elif piece.kind == "raw":
            rules.append(piece.text)
        if piece.name == "mj-style" and piece.kind == "end":
            taking = False
    return kept, "\n".join(rules)


def double_quoted(piece: Piece) -> Piece:
    """What mrml needs: every attribute is written in double quotes, and none inside a value is escaped."""
    if piece.kind != "start" or "'" not in piece.rest:
        return piece
    rest = _single_re.sub(lambda found: found[1] or f'"{found[2].replace('"', "&quot;")}"', piece.rest)
    return replace(piece, rest=rest, text=f"{piece.text[: 1 + len(piece.name)]}{rest}>")


def _start(piece: Piece, opened: list[Piece], seen: list[str]) -> None:
    name, parent = piece.name, opened[-1].name if opened else ""
    if len(opened) >= MAX_DEPTH:
        raise TemplateFault("too_complex", piece.line, f"Elements may be nested {MAX_DEPTH} deep at most.")
    if _unquoted_re.search(re.sub(r"\"[^\"]*\"|'[^']*'", '""', piece.rest)):
        raise TemplateFault("syntax", piece.line, f"Put quotes round the attributes of <{name}>: MJML needs them.")
    if not name.startswith("mj"):
        _plain(piece, opened)
        return
    if name in _WHY:
        raise TemplateFault("not_allowed", piece.line, f"<{name}> is not allowed: {_WHY[name]}.")
    if name not in _DEFAULTS:
        near = difflib.get_close_matches(name, sorted(_KNOWN), 1)
        raise TemplateFault(
            "unknown", piece.line, f"MJML has no element <{name}>{f'; <{near[0]}> is one' if near else ''}."
        )
    if name == "mj-social-element" and not _src_re.search(piece.rest) and parent != _ATTRIBUTES:
        hint = (
            "Give <mj-social-element> its picture with src: without it, readers would ask a stranger's server for one."
        )
        raise TemplateFault("missing", piece.line, hint)
    if name in ("mj-head", "mj-body", "mjml") and name in seen:
        raise TemplateFault("syntax", piece.line, f"There is only one <{name}>.")
    _place(piece, parent)


def _place(piece: Piece, parent: str) -> None:
    name = piece.name
    if not parent:
        if name != "mjml":
            raise TemplateFault("place", piece.line, f"<{name}> stands outside of <mjml>.")
        return
    if parent == _ATTRIBUTES:
        return
    if name in _INSIDE.get(parent, "").split():
        return
    homes = [home for home, inside in _INSIDE.items() if name in inside.split()]
    where = f"; it belongs in {' or '.join(f'<{home}>' for home in homes[:3])}" if homes else ""
    raise TemplateFault("place", piece.line, f"<{name}> may not stand in <{parent}>{where}.")


def _plain(piece: Piece, opened: list[Piece]) -> None:
    """HTML belongs into the elements that hold it."""
    if not any(one.name in _HTML for one in opened):
        parent = f"<{opened[-1].name}>" if opened else "the beginning"
        raise TemplateFault(
            "place",
            piece.line,
            f"<{piece.name}> may not stand in {parent}: put HTML into <mj-text>, <mj-table> or <mj-raw>.",
        )


def _end(piece: Piece, opened: list[Piece]) -> None:
    if not opened or opened[-1].name != piece.name:
        what = f"; <{opened[-1].name}> of line {opened[-1].line} is still open" if opened else ""
        raise TemplateFault("syntax", piece.line, f"</{piece.name}> closes nothing here{what}.")
    opened.pop()


def _text(piece: Piece, opened: list[Piece]) -> None:
    line = piece.line + piece.text[: len(piece.text) - len(piece.text.lstrip())].count("\n")
    if "<" in piece.text:
        line = piece.line + piece.text[: piece.text.index("<")].count("\n")
        raise TemplateFault("syntax", line, "Write &lt; for the sign < itself.")
    if piece.text.strip() and not any(one.name in _HTML for one in opened):
        where = f"<{opened[-1].name}>" if opened else "outside of <mjml>"
        raise TemplateFault("place", line, f"Text may not stand in {where}: put it into <mj-text>.")
