"""Before the river: rules of a style sheet put into the elements that they choose; mail readers drop sheets.

css-inline parses the whole document anew: only for HTML whose template tags are marks (`masking`).
"""

import re
from collections.abc import Iterable, Sequence

import css_inline

from troth.mail.html_pieces import Piece
from troth.mail.masking import Masked
from troth.mail.template_scan import TemplateFault

_empty_re = re.compile(r"<style[^>]*>\s*</style>")
_whole_re = re.compile(r"<(?:html|body)[\s>]", re.IGNORECASE)
_link_re = re.compile(r"\brel\s*=\s*[\"']?\s*stylesheet", re.IGNORECASE)
_ROWS = frozenset({"tr", "td", "th"})
_TABLES = frozenset({"table", "mj-table"})


def inlined_sheets(html: str) -> str:
    """HTML with its own sheets in its elements; rules that no element can hold (media, :hover) stay in a sheet."""
    inliner = css_inline.CSSInliner(
        keep_style_tags=True, remove_inlined_selectors=True, keep_at_rules=True, load_remote_stylesheets=False
    )
    return _empty_re.sub("", inliner.inline(_whole(html)))


def inlined_rules(html: str, rules: str) -> str:
    """HTML with these rules in its elements; its own sheets stay as they are."""
    inliner = css_inline.CSSInliner(
        inline_style_tags=False, keep_style_tags=True, load_remote_stylesheets=False, extra_css=rules
    )
    return inliner.inline(html)


def has_sheet(pieces: Iterable[Piece]) -> bool:
    return any(one.kind == "raw" and one.name == "style" and one.text.strip() for one in pieces)


def check_sheets(pieces: Sequence[Piece]) -> None:
    """Raise TemplateFault for a sheet from elsewhere."""
    for one in pieces:
        if one.kind == "start" and one.name == "link" and _link_re.search(one.rest):
            raise TemplateFault(
                "not_allowed", one.line, "Mail readers fetch no style sheet: write its rules into <style>."
            )


def check_tables(masked: Masked) -> None:
    """Raise TemplateFault for rows without <tbody> in a table with if or for beside them: a parser puts one inside the
    loop (FACTS 32).
    """
    tables: list[tuple[str, list[int], list[int]]] = []
    opened: list[str] = []
    for piece in masked.pieces:
        parent = opened[-1] if opened else ""
        if piece.kind == "start":
            if parent in _TABLES and piece.name in _ROWS:
                tables[-1][2].append(piece.line)
            if not piece.closes_itself:
                opened.append(piece.name)
                if piece.name in _TABLES:
                    tables.append((piece.name, [], []))
        elif piece.kind == "end" and piece.name in opened:
            while opened.pop() != piece.name:
                pass
            if piece.name in _TABLES and tables:
                _rows(tables.pop())
        elif parent in _TABLES and (mark := masked.statement(piece)):
            tables[-1][1].append(mark.line)


def _rows(table: tuple[str, list[int], list[int]]) -> None:
    name, statements, rows = table
    if statements and rows:
        hint = f"Put <tbody> and </tbody> round the rows of this <{name}>, outside of the if or for."
        raise TemplateFault("place", statements[0], hint)


def _whole(html: str) -> str:
    """A part of a page as a page, so that its beginning stays where it is; its sheets go into the head."""
    if _whole_re.search(html):
        return html
    sheets = re.findall(r"<style[^>]*>.*?</style>", html, re.DOTALL | re.IGNORECASE)
    rest = re.sub(r"<style[^>]*>.*?</style>", "", html, flags=re.DOTALL | re.IGNORECASE)
    head = f'<meta charset="utf-8">{"".join(sheets)}'
    return f"<!DOCTYPE html><html><head>{head}</head><body>{rest}</body></html>"
