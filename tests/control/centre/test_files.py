"""What is taken away from the trust centre: the feed, the badge, and evidence that may be public."""

import hashlib
import json
import os
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from uuid import UUID

from tests.control.centre.promising import turned
from tests.control.ledger.house import House
from tests.support.firm import now
from tests.support.pages import Visitor

from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.keyring import OPERATOR
from troth.ledger import trust_file
from troth.ledger.trust_check import Asked

ATOM = "{http://www.w3.org/2005/Atom}"
_PIECE = """
INSERT INTO evidence (id, programme_id, claim, kind, title, filename, media_type, size, sha256, file_ct, performed_on,
    valid_until, public, digest, submitted_at, submitted_account, submitted_human, accepted_at, accepted_account, accepted_human)
SELECT %s, %s, 'VDP-3', 'safe-harbour', 'Safe harbour', 'safe harbour.txt', 'text/plain', %s, %s, %s, %s, %s, %s, %s, %s,
    a.id, a.human_id, %s, b.id, b.human_id
FROM account a, account b WHERE a.tenant_id IS NULL AND b.tenant_id IS NULL AND a.human_id <> b.human_id LIMIT 1
"""
_WITHDRAWN = """
UPDATE evidence SET withdrawn_at = now(), withdrawn_account = submitted_account, withdrawn_human = submitted_human,
    withdrawn_why = 'No longer so.' WHERE id = %s
"""


def piece(operator, programme: UUID | None, content: bytes, *, public: bool = True) -> UUID:
    made, today = uuid7(now()), date.today()
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    sealed = operator.keyring.tenant(OPERATOR, wrapped).seal(content, places.evidence(made))
    operator.database.fill(
        _PIECE, made, programme, len(content), hashlib.sha256(content).digest(), sealed, today, today + timedelta(days=90),
        public, os.urandom(32), now(), now(),
    )  # fmt: skip
    return made


def test_the_feed_tells_one_turn_a_promise_and_day(own):
    site, made = own
    noon = now().replace(hour=12, minute=0) - timedelta(days=2)
    for hour, was, state in ((0, "holds", "fails"), (1, "fails", "holds"), (2, "holds", "fails")):
        turned(site.operator, "EML-2", made["property"], was, state, now() - noon - timedelta(hours=hour))
    turned(site.operator, "ENC-4", None, "holds", "fails", timedelta(days=9))
    turned(site.operator, "EML-2", made["retail"], "holds", "fails", timedelta(days=5))
    answer = Visitor(site.url).get("/trust/property/changes.atom")
    assert answer.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    feed = ET.fromstring(answer.text)
    for name in ("id", "title", "updated", "author"):
        assert feed.find(f"{ATOM}{name}") is not None
    entries = feed.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(ids) == len(set(ids))
    told = [entry.findtext(f"{ATOM}title") for entry in entries]
    assert told == ["EML-2 does not hold", "ENC-4 does not hold"]
    assert all(entry.find(f"{ATOM}updated") is not None for entry in entries)
    assert "Enc" not in Visitor(site.url).get("/trust/retail/changes.atom").text


def test_the_badge_says_in_words_what_it_shows(house):
    site, _ = house
    answer = Visitor(site.url).get("/trust/property/badge.svg")
    drawn = ET.fromstring(answer.text)
    assert drawn.get("role") == "img"
    title = drawn.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert title.text is not None
    assert title.text.endswith("promises hold, 1 fails.")
    assert "style" not in answer.text
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_public_evidence_is_a_file_without_powers(own):
    site, made = own
    content = b"<script>alert(1)</script>"
    mine = piece(site.operator, made["property"], content)
    shared = piece(site.operator, None, b"everybody's")
    secret = piece(site.operator, made["property"], b"secret", public=False)
    theirs = piece(site.operator, made["retail"], b"theirs")
    visitor = Visitor(site.url)
    assert f"/trust/property/evidence/{mine}" in visitor.get("/trust/property").text
    assert "Safe harbour" in visitor.get("/trust/property/claims/VDP-3").text
    answer = visitor.get(f"/trust/property/evidence/{mine}")
    assert (answer.status, answer.text) == (200, content.decode())
    assert answer.headers["Content-Disposition"] == 'attachment; filename="safe harbour.txt"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert visitor.get(f"/trust/property/evidence/{shared}").status == 200
    for gone in (secret, theirs, uuid7(now())):
        assert visitor.get(f"/trust/property/evidence/{gone}").status == 404
    site.operator.database.fill(_WITHDRAWN, mine)
    assert visitor.get(f"/trust/property/evidence/{mine}").status == 404


def test_the_page_is_also_a_signed_file(own):
    site, _ = own
    House(site.firm, site.folder).seal()
    answer = Visitor(site.url).get("/trust/property/trust.json")
    assert answer.status == 200, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Cache-Control"] == "public, no-cache"
    document = json.loads(answer.text)
    assert document.keys() == {"trust", "signature"}
    assert document["trust"]["programme"]["code"] == "property"


def test_all_programmes_are_in_one_file_that_verifies(own):
    site, made = own
    House(site.firm, site.folder).seal()
    visitor = Visitor(site.url)
    answer = visitor.get("/trust.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    found = trust_file.verify(answer.text.encode(), Asked(now()))
    assert {one.trust.programme.code for one in found} >= {*made}
    alone = trust_file.verify(visitor.get("/trust.json", Host="property.example").text.encode(), Asked(now()))
    assert [one.trust.programme.code for one in alone] == ["property"]


def test_there_is_no_signed_file_before_the_ledger_covers_it(house):
    site, _ = house
    answer = Visitor(site.url).get("/trust/property/trust.json")
    assert answer.status == 503
    assert answer.headers["Cache-Control"] == "no-store"
