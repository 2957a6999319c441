"""An ID token is believed for its signature, issuer, audience, time and nonce; and userinfo for its subject."""

import re
import time
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.support.oidc_provider import CLIENT, OTHER_KEY, SECRET, Elsewhere, Liar, mock_provider, node_provider, public

from troth.control.people.sign_on import discovery, openid
from troth.control.people.sign_on.connection import OpenId, SignOn
from troth.control.people.sign_on.openid import Attempt
from troth.control.people.sign_on.refusing import NotSignedOn
from troth.outside.dns import Resolver
from troth.outside.guarded_http import GuardedClient
from troth.outside.guarded_url import Guard, networks

ADDRESS = "marguerite@firm.test"
REDIRECT = "https://troth.test/sign-on/one/callback"
ATTEMPT = Attempt("_state", b"s" * 32, REDIRECT)
LOOPBACK = GuardedClient(Resolver(), Guard(networks(("127.0.0.0/8",)), plain_http=True), seconds=3)


@pytest.fixture(autouse=True)
def outward(monkeypatch):
    monkeypatch.setattr(openid.outward, "settings", SimpleNamespace(TROTH_OUTWARD=LOOPBACK))


@pytest.fixture(scope="module")
def server():
    made = Liar()
    yield made
    made.stop()


@pytest.fixture
def liar(server):
    server.reset()
    server.begun(openid.request_url(terms(server).openid, ATTEMPT))
    return server


def terms(liar, **more):
    provider = OpenId(
        issuer=liar.issuer,
        authorization_endpoint=f"{liar.issuer}/authorize",
        token_endpoint=f"{liar.issuer}/token",
        jwks_uri=f"{liar.issuer}/jwks",
        userinfo_endpoint=f"{liar.issuer}/userinfo",
        client_id=CLIENT,
        client_secret_ct="",
        **more,
    )
    return SignOn(domains=("firm.test",), openid=provider)


def judged(liar, attempt=ATTEMPT, **more):
    return openid.verified("code", SECRET, terms(liar, **more), attempt)


def refused(liar, why, **more):
    with pytest.raises(NotSignedOn) as caught:
        judged(liar, **more)
    assert re.search(why, caught.value.why), caught.value.why
    assert ADDRESS not in caught.value.why
    return caught.value


def test_a_sound_token_says_who_it_is(liar):
    found = judged(liar)
    assert (found.address.addr_spec, found.name, found.second) == (ADDRESS, "Marguerite Alder", False)


def test_the_clients_secret_goes_where_the_provider_takes_it(liar):
    judged(liar)
    _, _, headers, form = liar.asked[0]
    assert headers["Authorization"].startswith("Basic ")
    assert "client_secret" not in form
    liar.asked.clear()
    judged(liar, secret_in="body")
    _, _, headers, form = liar.asked[0]
    assert (form["client_id"], form["client_secret"], "Authorization" in headers) == (CLIENT, SECRET, False)


def test_a_request_has_state_nonce_and_pkce_of_its_own(liar):
    one, two = (
        parse_qs(
            urlsplit(openid.request_url(terms(liar).openid, Attempt(state, b"s" * 32, REDIRECT), "x@firm.test")).query
        )
        for state in ("_a", "_b")
    )
    for name in ("state", "nonce", "code_challenge"):
        assert one[name] != two[name]
    assert one["code_challenge_method"] == ["S256"]
    assert one["login_hint"] == ["x@firm.test"]
    assert b"s" * 8 not in str(one).encode()


def test_a_provider_without_our_verifier_gives_nothing(liar):
    refused(liar, r"400 \(invalid_grant\)", attempt=Attempt("_state", b"t" * 32, REDIRECT))


NOW = int(time.time())
WRONG = {
    "another issuer": ({"iss": "https://elsewhere.test"}, "(?i)issuer"),
    "an issuer with a slash more": ({"iss": "{issuer}/"}, "(?i)issuer"),
    "another client": ({"aud": "another"}, "(?i)audience"),
    "several clients, made for another": ({"aud": [CLIENT, "another"], "azp": "another"}, "another client"),
    "several clients, made for nobody": ({"aud": [CLIENT, "another"]}, "another client"),
    "one client, made for another": ({"azp": "another"}, "another client"),
    "expired": ({"exp": NOW - 120}, "(?i)expired"),
    "made in the future": ({"iat": NOW + 3600}, "(?i)not yet valid"),
    "not yet valid": ({"nbf": NOW + 3600}, "(?i)not yet valid"),
    "without an end": ({"exp": None}, "exp"),
    "without a subject": ({"sub": None}, "sub"),
    "without an audience": ({"aud": None}, "aud"),
    "without a nonce": ({"nonce": None}, "another request"),
    "another nonce": ({"nonce": "x"}, "another request"),
    "an unverified address": ({"email_verified": False}, "not say that the address is verified"),
    "an address of which nothing is said": ({"email_verified": None}, "not say that the address is verified"),
    "a verified address that is a word": ({"email_verified": "yes"}, "not say that the address is verified"),
    "another domain": ({"email": "marguerite@elsewhere.test"}, "not bound"),
    "a domain below": ({"email": "marguerite@sub.firm.test"}, "not bound"),
    "no address": ({"email": ""}, "no e-mail address"),
    "not an address": ({"email": "marguerite@firm.test, emeka@firm.test"}, "cannot be used"),
    "an address that is a list": ({"email": [ADDRESS]}, "no e-mail address"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_token_that_is_not_ours_now_is_refused(liar, what):
    claims, why = WRONG[what]
    liar.claims = {
        name: value.replace("{issuer}", liar.issuer) if isinstance(value, str) else value
        for name, value in claims.items()
    }
    refused(liar, why)


def test_a_provider_that_two_people_trusted_vouches_for_addresses(liar):
    liar.claims = {"email_verified": None}
    assert judged(liar, vouches=True).address.addr_spec == ADDRESS
    liar.claims = {"email_verified": False}
    refused(liar, "not say that the address is verified", vouches=True)


@pytest.mark.parametrize(
    ("amr", "second"),
    [
        (["mfa"], True),
        (["pwd", "otp"], True),
        (["pwd"], False),
        (["otp"], False),
        (["pwd", "sms"], False),
        ("mfa", False),
        ([["mfa"]], False),
    ],
)
def test_a_second_factor_is_what_rfc_8176_calls_so(liar, amr, second):
    liar.claims = {"amr": amr}
    assert judged(liar).second is second


# ---- keys


def test_no_algorithm_is_no_signature(liar):
    liar.key, liar.algorithm = None, "none"
    refused(liar, "algorithm is not one that is accepted")


def test_a_public_key_is_no_secret(liar):
    """The old confusion: HMAC with what everybody can read."""
    liar.key, liar.algorithm = "a public key, as text, of 32 bytes", "HS256"
    liar.jwks = {"keys": [{"kty": "oct", "kid": "one", "k": "YSBwdWJsaWMga2V5LCBhcyB0ZXh0LCBvZiAzMiBieXRlcw"}]}
    refused(liar, "algorithm is not one that is accepted")


@pytest.mark.parametrize(
    "jwks",
    [
        {"keys": []},
        {},
        {"keys": "one"},
        {"keys": [1]},
        {"keys": [{"kty": "oct", "kid": "one", "k": "AAAA", "alg": "RS256"}]},
        {"keys": [{**public(OTHER_KEY, "two")}]},
        {"keys": [{**public(OTHER_KEY, "one"), "use": "enc"}]},
        {"keys": [public(OTHER_KEY, "one"), public(OTHER_KEY, "one")]},
    ],
)
def test_a_key_that_is_not_there_is_none(liar, jwks):
    liar.jwks = jwks
    refused(liar, "hold none for this ID token")


def test_another_key_does_not_fit(liar):
    liar.jwks = {"keys": [public(OTHER_KEY, "one")]}
    refused(liar, "(?i)signature")


def test_a_weak_key_is_none(liar):
    liar.jwks = {"keys": [public(rsa.generate_private_key(public_exponent=65537, key_size=1024), "one")]}
    refused(liar, "too weak")


def test_a_key_in_the_token_itself_is_not_used(liar):
    liar.key, liar.header = OTHER_KEY, {"kid": "one", "jwk": public(OTHER_KEY, "one"), "jku": f"{liar.issuer}/evil"}
    refused(liar, "(?i)signature")
    assert not [path for _, path, _, _ in liar.asked if "evil" in path]


@pytest.mark.parametrize("token", [None, 1, "", "a.b.c", "x" * 100])
def test_what_is_no_token_is_refused(liar, token):
    liar.token = (200, {}, {"access_token": "at", "id_token": token})
    refused(liar, "ID token")


# ---- userinfo


def test_userinfo_tells_the_address_where_the_token_does_not(liar):
    liar.claims = {"email": None, "email_verified": None}
    liar.userinfo = {"sub": "marguerite", "email": ADDRESS, "email_verified": True, "name": "M. Alder"}
    assert judged(liar).name == "M. Alder"


def test_userinfo_of_somebody_else_is_refused(liar):
    liar.claims = {"email": None}
    liar.userinfo = {"sub": "emeka", "email": ADDRESS, "email_verified": True}
    refused(liar, "about somebody else")


def test_a_token_does_not_verify_the_address_of_userinfo(liar):
    liar.claims = {"email": None, "email_verified": True}
    liar.userinfo = {"sub": "marguerite", "email": ADDRESS}
    refused(liar, "not say that the address is verified")


# ---- what the browser brings


@pytest.mark.parametrize(
    ("answer", "names_itself", "why"),
    [
        ({"code": "c", "iss": "https://other-firm.test"}, False, "another issuer"),
        ({"code": "c"}, True, "another issuer"),
        ({"error": "access_denied"}, False, "access_denied"),
        ({"error": "<script>alert(1)</script>"}, False, "scriptalert1script"),
        ({}, False, "no code"),
    ],
)
def test_an_answer_of_another_provider_or_without_a_code_is_refused(liar, answer, names_itself, why):
    given = terms(liar, names_itself=names_itself).openid
    with pytest.raises(NotSignedOn, match=why):
        openid.code_of(given, answer)


def test_a_provider_that_names_itself_is_believed(liar):
    assert openid.code_of(terms(liar, names_itself=True).openid, {"code": "c", "iss": liar.issuer}) == "c"


# ---- how a provider is asked


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ((500, {}, {}), "answered 500"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "answered 302"),
        ((200, {}, b"<html>"), "not a JSON object"),
        ((200, {}, b"[1]"), "not a JSON object"),
        ((400, {}, b"<html>"), "answered 400$"),
        ((400, {}, {"error": "Marguerite Alder was here"}), "answered 400$"),
        ((200, {}, b'"' + b"x" * 200_000 + b'"'), "longer than"),
    ],
)
def test_a_provider_that_answers_something_else_is_refused(liar, answer, why):
    liar.token = answer
    refused(liar, why)


def test_a_redirect_to_an_inner_address_is_not_followed(liar):
    liar.token = (307, {"Location": "http://169.254.169.254/latest/meta-data/"}, b"")
    refused(liar, "answered 307")
    assert [path for _, path, _, _ in liar.asked] == ["/token"]


@pytest.mark.parametrize(
    "inner", ["https://10.0.0.7/jwks", "https://169.254.169.254/jwks", "https://[::1]/jwks", "http://127.0.0.1:1/jwks"]
)
def test_an_inner_address_is_never_asked(liar, inner, monkeypatch):
    monkeypatch.setattr(openid.outward, "settings", SimpleNamespace(TROTH_OUTWARD=GuardedClient(Resolver())))
    with pytest.raises(NotSignedOn, match="address is not asked"):
        openid.outward.get(inner)


def test_no_answer_is_a_refusal(liar):
    with pytest.raises(NotSignedOn, match="gave no answer"):
        openid.outward.get("http://127.0.0.1:1/")


# ---- discovery


def found(liar, **more):
    liar.discovery = more
    return discovery.provider(liar.issuer, CLIENT, "AQ==", vouches=False)


def test_a_provider_describes_itself(liar):
    made = found(liar, authorization_response_iss_parameter_supported=True)
    assert (made.token_endpoint, made.secret_in, made.names_itself) == (f"{liar.issuer}/token", "header", True)
    made = found(
        liar, token_endpoint_auth_methods_supported=["client_secret_post"], userinfo_endpoint=f"{liar.issuer}/me"
    )
    assert (made.secret_in, made.userinfo_endpoint) == ("body", f"{liar.issuer}/me")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"issuer": "https://elsewhere.test"}, "calls itself 'https://elsewhere.test'"),
        ({"issuer": None}, "calls itself"),
        ({"response_types_supported": ["id_token"]}, "authorization code flow"),
        ({"response_types_supported": "code"}, "authorization code flow"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
        ({"token_endpoint_auth_methods_supported": ["private_key_jwt"]}, "neither in a header nor in a form"),
        ({"jwks_uri": None}, "names no jwks_uri"),
        ({"token_endpoint": "token"}, "names no token_endpoint"),
    ],
)
def test_a_provider_that_cannot_be_used_is_told_why(liar, said, why):
    with pytest.raises(discovery.BadProvider, match=why):
        found(liar, **said)


def test_a_provider_that_is_not_there_is_told(liar):
    with pytest.raises(discovery.BadProvider, match="could not be asked"):
        discovery.provider("http://127.0.0.1:1", CLIENT, "AQ==", vouches=False)


# ---- two providers that are not ours


def through(provider, browser_fields, secret="a secret"):
    """The whole round trip with a provider, our part as the pages do it."""
    made = discovery.provider(provider.issuer, CLIENT, "AQ==", vouches=False)
    url = openid.request_url(made, ATTEMPT)
    back = Elsewhere(REDIRECT).sign_in(url, **browser_fields)
    answer = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    assert answer["state"] == ATTEMPT.state
    code = openid.code_of(made, answer)
    return lambda: openid.verified(code, secret, SignOn(domains=("firm.test",), openid=made), ATTEMPT)


def test_pypis_oidc_provider_mock_signs_somebody_on():
    provider = mock_provider([{"sub": "marguerite", "email": ADDRESS, "email_verified": True, "name": "Marguerite"}])
    try:
        again = through(provider, {"sub": "marguerite"})
        assert again().address.addr_spec == ADDRESS
        with pytest.raises(NotSignedOn, match="answered 400"):
            again()
    finally:
        provider.stop()


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_npms_oidc_provider_signs_somebody_on(method):
    users = {"marguerite": {"email": ADDRESS, "email_verified": True, "name": "Marguerite"}}
    provider = node_provider(REDIRECT, users, method)
    try:
        again = through(provider, {"login": "marguerite", "password": "any"}, SECRET)
        assert again().address.addr_spec == ADDRESS
        with pytest.raises(NotSignedOn, match=r"400 \(invalid_grant\)"):
            again()
        wrong = through(provider, {"login": "marguerite", "password": "any"}, "another secret")
        with pytest.raises(NotSignedOn, match=r"401 \(invalid_client\)"):
            wrong()
    finally:
        provider.stop()
