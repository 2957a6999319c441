"""Every link of every mail that the demo's packs make, fetched as scanners do: no row of any table changes."""

import email
import email.policy
import re
from datetime import timedelta

import pytest
from tests.flow.feedback.test_own import everything
from tests.flow.feedback.test_unsubscribe import page
from tests.support.firm import PRIVATE_PEM, now

from troth.cli.demo import packs
from troth.flow.delivery.compose import Ingredients, Stamp, compose, render_here
from troth.flow.delivery.materials import SigningKey, Template
from troth.flow.delivery.work import Composed, Work
from troth.keys.installation import Purpose
from troth.mail.dkim import Signer
from troth.mail.letter import Letter
from troth.mail.samples import typical
from troth.store.spool import Claimed, Loaded

__all__ = ["page"]
OURS = "https://door.test"
LINK = re.compile(r"https?://[^\s<>\"']+")


def composed(page, message, artefact):
    """The mail as the worker makes it, for this message of the gate's."""
    secrets = page.operator.secrets
    name, [(address, tenant, email_id, person)] = page.firm.name, page.rows(
        "SELECT t.postal_address, m.tenant_id, m.email_id, m.person_id FROM message m JOIN tenant t ON t.id = m.tenant_id"
        " WHERE m.id = %s", message,
    )  # fmt: skip
    claimed = {name: None for name in Claimed.__slots__} | {
        "message_id": message, "tenant_id": tenant, "email_id": email_id, "person_id": person,
        "lifetime_ends": now() + timedelta(hours=3), "attempts": 0}  # fmt: skip
    loaded = {name: None for name in Loaded.__slots__} | {"tenant_name": "Firm firm", "postal_address": address}
    letter = Letter(f"Firm <rent@{name}>", "ann@example.net", variables=typical(artefact["schema"]))
    stamp = Stamp("a", OURS, None, secrets.token_keys(Purpose.VERP)[0], secrets.token_keys(Purpose.UNSUBSCRIBE)[0])
    key = SigningKey(Signer(name, "s1", PRIVATE_PEM), 2048, None)
    work = Work(Claimed(**claimed), Loaded(**loaded), 0.0, 0.0)
    made = compose(work, Ingredients(letter, Template(artefact), key, {}), stamp, now(), render_here)
    assert isinstance(made, Composed), made
    return email.message_from_bytes(made.envelope.data, policy=email.policy.default)


def links(mail):
    """All that a scanner finds: in the header, in the text, in the HTML."""
    told = [
        str(mail["List-Unsubscribe"]),
        *(part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"),
    ]
    return {link.rstrip(".,)").replace("&amp;", "&") for text in told for link in LINK.findall(text)}


@pytest.mark.parametrize("pack", packs.names())
async def test_each_link_of_each_mail_fetched_ten_times_changes_no_row(page, pack):
    message = await page.send()
    mail = composed(page, message, packs.template(pack)[1])
    bodies = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    for body in bodies:
        assert "1 Test Street" in body, "every part says where its sender is"
        assert f"{OURS}/r/" in body, "and leads to the recipient's own page"
    ours = {link.removeprefix(OURS) for link in links(mail) if link.startswith(OURS)}
    assert {link[:3] for link in ours} == {"/u/", "/r/"}
    before = everything(page)
    for _ in range(10):
        for link in sorted(ours):
            for method in ("GET", "HEAD"):
                assert (await page.client.request(method, link)).status_code == 200, link
    assert everything(page) == before
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    page.client.cookies.clear()
    [one_click] = [link for link in ours if link.startswith("/u/")]
    answer = await page.client.post(one_click, data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, page.stopped()[0] != []) == (200, True)
