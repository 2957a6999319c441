"""The doctor and the relay's webhooks: keys that are missing, empty or open; nothing that comes while mail goes out."""

import pytest
from tests.support.clinic import sick

CHECK = "relay webhooks"
KEY = "key-1f2e3d4c5b6a79881f2e3d4c5b6a7988\n"


def said(found):
    return " ".join(what for _, what, _ in found[CHECK])


def test_any_relay_tells_in_its_replies(well):
    found = well.doctor()
    assert CHECK not in sick(found)
    assert "relay_kind 'smtp'" in said(found)


@pytest.mark.parametrize("kind", ["mailgun", "ses"])
def test_a_relay_whose_webhooks_are_not_taken(well, kind):
    well.write(relay_kind=kind)
    found = well.doctor()
    assert CHECK in sick(found)
    assert "of deliveries nothing is known" in said(found)


def test_the_file_of_keys(well, tmp_path):
    path = tmp_path / "keys"
    well.write(relay_kind="mailgun", mailgun_signing_key_file=str(path))
    assert "cannot be read" in said(well.doctor())
    path.write_text("# none\nshort\n")
    path.chmod(0o600)
    assert "holds no key" in said(well.doctor())
    path.write_text(KEY * 2)
    path.chmod(0o644)
    assert "open to every user" in said(well.doctor())
    path.chmod(0o600)
    found = well.doctor()
    assert "under 2 keys" in said(found)
    assert CHECK not in sick(found)
