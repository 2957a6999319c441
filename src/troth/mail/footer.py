"""Delivery, composing: what stands under every message: who sends it, from which postal address, and the way to the
recipient's own page (CAN-SPAM 15 U.S.C. 7704 (a) (5); CASL section 6 (2)). It is ours: no template can leave it out.
"""

from dataclasses import dataclass, replace
from html import escape

from troth.mail.render import Rendered

WHY = "Why you got this, and what else may reach you"
_HTML = (
    '<div style="max-width:600px;margin:24px auto 0;padding:12px 16px 24px;border-top:1px solid #9aa3aa;'
    "font:13px/20px -apple-system,'Segoe UI',Arial,sans-serif;color:#6b757c;text-align:left\">{sender}<br>"
    '<a href="{link}" style="color:#6b757c;text-decoration:underline">{why}</a></div>'
)


@dataclass(frozen=True, slots=True)
class Footer:
    """firm and address as two people approved them; link: the recipient's own page."""

    firm: str
    address: str
    link: str

    @property
    def sender(self) -> str:
        """Who sends it, on one line."""
        return f"{_line(self.firm)}, {_line(self.address)}"

    def text(self) -> str:
        return f"{self.sender}\n{WHY}:\n{self.link}\n"

    def html(self) -> str:
        return _HTML.format(sender=escape(self.sender), link=escape(self.link), why=WHY)


def under(content: Rendered, footer: Footer) -> Rendered:
    """The content with the footer at the end of each part: before the last </body>, or after everything."""
    html, text = content.html, content.text
    return replace(
        content,
        html=None if html is None else _within(html, footer.html()),
        text=None if text is None else f"{text.rstrip()}\n\n{footer.text()}".lstrip("\n"),
    )


def _within(html: str, footer: str) -> str:
    at = html.lower().rfind("</body")
    return html + footer if at < 0 else html[:at] + footer + html[at:]


def _line(text: str) -> str:
    return " ".join(text.split())
