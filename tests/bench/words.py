"""Beside the house, the bench: what is sent: an approved template at 2 KB and at 50 KB, and 50 KB without a template.

The same content goes to the peer: its load tool sends the very message that our sink took, without our signature.
"""

import json
from typing import Any

DOMAINS = 20
TEXT = """Hello {{ name }},

your order {{ order }} has left our warehouse and should be with you within two working days. The parcel is insured,
and somebody has to sign for it. Where it is at any time you see here:

{{ link }}

If you are not at home, it waits for you for seven days at the shop around the corner; the card in your letter box
says which one. Questions go to the desk, on workdays from nine to five.

With kind regards,
the people of the warehouse
"""
HTML = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Your order is on its way</title></head>
<body style="margin:0;padding:24px;font-family:Georgia,serif;color:#222222;background-color:#f6f4ef">
<h1 style="font-size:20px">Your order is on its way</h1>
<p>Hello {{ name }},</p>
<p>your order <b>{{ order }}</b> has left our warehouse and should be with you within two working days.
The parcel is insured, and somebody has to sign for it.</p>
<p><a href="{{ link }}" style="color:#205040">Where it is at any time</a></p>
<p>If you are not at home, it waits for you for seven days at the shop around the corner;
the card in your letter box says which one. Questions go to the desk, on workdays from nine to five.</p>
<p style="color:#666666">With kind regards,<br>the people of the warehouse</p>
</body></html>
"""
_ROW = '<tr><td style="padding:4px 8px">{n:04d} a board of walnut, oiled by hand, cut to measure</td><td>{price} EUR</td></tr>\n'
SCHEMA = {
    "name": {"type": "string", "max_length": 100},
    "order": {"type": "string", "max_length": 40},
    "link": {"type": "url", "max_length": 200},
}


def address(number: int) -> str:
    """The recipient of that number; all distinct, in 20 domains."""
    return f"reader{number:07d}@d{number % DOMAINS:02d}.sink.test"


def _long_html() -> str:
    rows = "".join(_ROW.format(n=n, price=9 + n * 137 % 900) for n in range(450))
    return HTML.replace("<p>Hello", f"<table>\n{rows}</table>\n<p>Hello", 1)


LONG = _long_html()
SUBJECT = "Your order {{ order }} is on its way"
SIZES = ("2k", "50k", "50k-raw")


def _template(html: str) -> dict[str, Any]:
    return {"category": "orders", "subject": SUBJECT, "html": html, "text": TEXT, "schema": SCHEMA, "targeting": {}}


TEMPLATES = {"2k": ("order-sent", _template(HTML)), "50k": ("order-listed", _template(LONG))}


def body(size: str, number: int, sender: str) -> bytes:
    """The JSON of one POST /emails, as a client's program would write it."""
    order, link = f"W-{number:07d}", f"https://warehouse.test/t/{number:07d}"
    asked: dict[str, Any] = {"from": sender, "to": [address(number)]}
    if size in TEMPLATES:
        variables = {"name": f"Reader {number}", "order": order, "link": link}
        asked["template"] = {"id": TEMPLATES[size][0], "variables": variables}
    else:
        filled = {"{{ name }}": f"Reader {number}", "{{ order }}": order, "{{ link }}": link}
        html, text = LONG, TEXT
        for place, value in filled.items():
            html, text = html.replace(place, value), text.replace(place, value)
        asked |= {"subject": f"Your order {order} is on its way", "html": html, "text": text}
        asked["tags"] = [{"name": "category", "value": "orders"}]
    return json.dumps(asked, ensure_ascii=False).encode()
