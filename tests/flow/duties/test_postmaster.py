"""What Gmail and Microsoft tell of us is read from servers that speak their formats, kept by day, and told when it is not."""

import base64
import json
import ssl
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from tests.support.providers import Providers

from troth.cli import postmaster as composed
from troth.flow.duties import postmaster as duty
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.outside.guarded_url import Guard, networks
from troth.outside.postmaster_tools import PostmasterTools
from troth.outside.snds import Snds
from troth.settings import Settings

REFRESH = {"type": "authorized_user", "client_id": "i", "client_secret": "s", "refresh_token": "r"}


class Reading:
    def __init__(self, database, providers, folder):
        self.database, self.providers = database, providers
        tls = ssl.create_default_context(cafile=str(providers.ca))
        client = GuardedClient(Resolver(), Guard(networks(("127.0.0.0/8",))), tls, 3.0)
        self.file, self.key = folder / "google.json", folder / "snds.key"
        self.file.write_text(json.dumps(REFRESH))
        self.key.write_text("secret-snds-key\n")
        self.tools = PostmasterTools(client, self.file, providers.origin)
        self.reader = Snds(client, self.key, providers.origin)

    async def gmail(self):
        return await self._run(lambda c: duty.gmail(c, self.tools))

    async def snds(self):
        return await self._run(lambda c: duty.snds(c, self.reader))

    async def _run(self, work):
        connection = await self.database.connect("duties")
        try:
            return await work(connection)
        finally:
            await connection.close()

    def days(self, source):
        rows = self.database.run("SELECT subject, metric, number, words FROM provider_day WHERE source = %s", source)
        return {(subject, metric): (number, words) for subject, metric, number, words in rows}

    def told(self, source):
        return self.database.run("SELECT read_at IS NOT NULL, trouble FROM provider_read WHERE source = %s", source)[0]


@pytest.fixture
def reading(database, tmp_path):
    providers = Providers(tmp_path)
    yield Reading(database, providers, tmp_path)
    providers.stop()


async def test_every_domain_of_the_account_is_read_page_by_page_and_kept_by_day(reading):
    assert await reading.gmail() == 8
    assert await reading.gmail() == 8
    days = reading.days("gmail")
    assert len(days) == 8
    assert days["mail.acme.example", "spam_rate"] == (0.0004, "")
    assert days["mail.other.example", "error_rate"] == (0.01, "")
    assert reading.told("gmail") == (True, "")
    reading.providers.told["spam_rate"] = 0.5
    await reading.gmail()
    assert reading.days("gmail")["mail.acme.example", "spam_rate"][0] == 0.5


async def test_it_signs_in_with_a_refresh_token_once(reading):
    await reading.gmail()
    await reading.gmail()
    tokens = [body for _, path, _, body in reading.providers.asked if path == "/token"]
    assert [parse_qs(body.decode())["grant_type"] for body in tokens] == [["refresh_token"]]


async def test_it_signs_in_as_a_service_account(reading):
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    account = {
        "type": "service_account",
        "client_email": "a@p.iam.example",
        "private_key": pem.decode(),
        "subject": "x@y.example",
    }
    reading.file.write_text(json.dumps(account))
    await reading.gmail()
    given = parse_qs(next(body for _, path, _, body in reading.providers.asked if path == "/token").decode())
    head, claims, signature = given["assertion"][0].split(".")
    octets = base64.urlsafe_b64decode(signature + "=" * (-len(signature) % 4))
    key.public_key().verify(octets, f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    assert (said["iss"], said["aud"], said["sub"]) == (
        "a@p.iam.example",
        "https://oauth2.googleapis.com/token",
        "x@y.example",
    )
    assert "postmaster.traffic.readonly" in said["scope"]


EC = ec.generate_private_key(ec.SECP256R1()).private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "holds neither"),
        (json.dumps({**REFRESH, "refresh_token": ""}), "holds neither"),
        (json.dumps({"type": "service_account", "private_key": "x"}), "is no private key"),
        (json.dumps({"type": "service_account", "private_key": EC.decode(), "client_email": "a"}), "not RSA"),
    ],
)
async def test_credentials_that_are_none_are_told_and_what_was_read_stays(reading, text, says):
    await reading.gmail()
    reading.file.write_text(text)
    reading.tools._token = ""
    assert await reading.gmail() == 0
    read, trouble = reading.told("gmail")
    assert read
    assert says in trouble
    assert len(reading.days("gmail")) == 8


async def test_one_domain_that_may_not_be_read_keeps_none_of_the_others(reading):
    reading.providers.wrong["/v2/domains/mail.acme.example/"] = 403
    assert await reading.gmail() == 4
    read, trouble = reading.told("gmail")
    assert read
    assert "mail.acme.example, spam_rate" in trouble
    assert "403 (PERMISSION_DENIED)" in trouble


@pytest.mark.parametrize(
    ("break_", "says"),
    [
        (lambda p: p.wrong.update({"/token": 400}), "Google answered 400"),
        (lambda p: p.wrong.update({"/v2/domains": 500}), "Google answered 500"),
        (lambda p: setattr(p, "body", b"<html>"), "not JSON"),
        (lambda p: setattr(p, "body", b"[]"), "no access token"),
        (lambda p: setattr(p, "domains", []), "sees no domain"),
        (lambda p: p.stop(), "could not be asked"),
    ],
)
async def test_what_google_does_not_give_is_told(reading, break_, says):
    break_(reading.providers)
    assert await reading.gmail() == 0
    read, trouble = reading.told("gmail")
    assert not read
    assert says in trouble
    assert "an-access-token" not in trouble


async def test_snds_is_read_by_address(reading):
    assert await reading.snds() == 10
    days = reading.days("snds")
    assert days["192.0.2.10", "filter_result"] == (0.0, "green")
    assert days["192.0.2.10", "complaint_rate"] == (0.001, "less than that")
    assert days["192.0.2.11", "filter_result"] == (2.0, "red")
    assert days["192.0.2.11", "complaint_rate"] == (0.025, "")
    assert days["192.0.2.11", "trap_hits"] == (3.0, "Trap, hit")
    assert days["192.0.2.11", "blocked"] == (1.0, "to 192.0.2.12: Blocked due to user complaints")
    assert reading.told("snds") == (True, "")
    assert "key=secret-snds-key" in reading.providers.asked[0][1]


@pytest.mark.parametrize(
    ("break_", "says"),
    [
        (lambda r: r.providers.wrong.update({"/snds": 403}), "SNDS answered 403."),
        (lambda r: r.providers.files.update(dict.fromkeys(r.providers.files, "<html>Sign in</html>")), "not the CSV"),
        (lambda r: r.key.unlink(), "cannot be read"),
        (lambda r: r.key.write_text("x" * 3000), "none of SNDS's"),
        (lambda r: r.providers.stop(), "could not be asked"),
    ],
)
async def test_what_microsoft_does_not_give_is_told_without_the_key(reading, break_, says):
    break_(reading)
    assert await reading.snds() == 0
    read, trouble = reading.told("snds")
    assert not read
    assert says in trouble
    assert "secret-snds-key" not in trouble


async def test_a_quiet_day_is_no_trouble(reading):
    reading.providers.files = dict.fromkeys(reading.providers.files, "")
    assert await reading.snds() == 0
    assert reading.told("snds") == (True, "")


def test_only_what_is_set_is_read(tmp_path):
    assert composed.duties(Settings()) == ()
    both = composed.duties(Settings(postmaster_tools_file=tmp_path / "a", snds_key_file=tmp_path / "b"))
    assert [each.name for each in both] == ["Gmail's Postmaster Tools", "Microsoft's SNDS"]
