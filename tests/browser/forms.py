"""Forms as a browser without script sends them: what stands in the fields goes along, what is given in its place."""

from html.parser import HTMLParser

from tests.support.pages import Answer, Visitor


class _Forms(HTMLParser):
    """The fields of every form of a page, by the form's address."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str]] = {}
        self._now: dict[str, str] = {}
        self._open = ""  # the field whose text or options are being read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._now = self.found.setdefault(given.get("action", ""), {})
        elif tag == "input":
            self._input(given)
        elif tag in ("textarea", "select") and "disabled" not in given:
            self._open = given.get("name", "")
            self._now.setdefault(self._open, "")
        elif tag == "option" and self._open and ("selected" in given or not self._now[self._open]):
            self._now[self._open] = given.get("value", "")

    def _input(self, given: dict[str, str]) -> None:
        chosen = given.get("type") not in ("checkbox", "radio") or "checked" in given
        if chosen and given.get("name") and "disabled" not in given:
            self._now[given["name"]] = given.get("value", "on")

    def handle_data(self, data: str) -> None:
        if self._open and self.lasttag == "textarea":
            self._now[self._open] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("textarea", "select"):
            self._open = ""


def sent(visitor: Visitor, page: str, action: str = "", **given: str) -> Answer:
    """Look at a page and send its form to `action` (its own address), with what is given in place of what stands there."""
    answer = visitor.get(page)
    assert answer.status == 200, (page, answer.status, answer.url)
    forms = _Forms()
    forms.feed(answer.text)
    action = action or page
    fields = forms.found.get(action) or forms.found.get("", {})
    return visitor.post(action, **{**{name: value for name, value in fields.items() if name}, **given})
