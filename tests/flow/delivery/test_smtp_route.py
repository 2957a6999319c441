"""Routes that must not be used are refused at construction, with the setting named."""

import ssl

import pytest

from troth.cli.demo.tls import make_local_certificate
from troth.flow.delivery.route import Route, RouteError, Timeouts, is_loopback

GOOD = {"name": "relay", "host": "mx.example.net", "port": 587}


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"host": ""}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"max_connections": 0}, "max_connections"),
        ({"ehlo_name": ""}, "ehlo_name"),
        ({"ehlo_name": "a b"}, "ehlo_name"),
        ({"ehlo_name": "a\r\nb"}, "ehlo_name"),
        ({"ehlo_name": "bücher.example"}, "ehlo_name"),
        ({"ehlo_name": "a" * 256}, "ehlo_name"),
        ({"tls": "maybe"}, "tls"),
        ({"tls": "none"}, "this machine"),
        ({"tls": "none", "host": "10.0.0.1"}, "this machine"),
        ({"tls": "none", "host": "localhost.example.net"}, "this machine"),
        ({"username": "u"}, "together"),
        ({"password": "p"}, "together"),
        ({"tls": "none", "host": "localhost", "username": "u", "password": "p"}, "over TLS"),
        ({"username": "", "password": "p"}, "octets"),
        ({"username": "u", "password": "p\0"}, "octets"),
        ({"username": "u", "password": "ü" * 128}, "octets"),
    ],
)
def test_bad_routes(change, word):
    with pytest.raises(RouteError, match=word):
        Route(**GOOD | change)


def test_the_password_is_not_shown():
    assert "hunter2" not in repr(Route(**GOOD, username="u", password="hunter2"))


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("LocalHost.", True), ("10.0.0.1", False), ("x", False)],
)
def test_loopback(host, here):
    assert is_loopback(host) is here


def test_timeouts_are_positive():
    with pytest.raises(RouteError, match="eod"):
        Timeouts(eod=0)


def test_the_context_verifies_and_speaks_nothing_old(tmp_path):
    files = make_local_certificate(tmp_path, ["localhost"])
    context = Route(**GOOD, ca_file=str(files.ca)).tls_context()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) == 1
    assert Route(**GOOD).tls_context() is not None
    assert Route("r", "::1", 25, "none").tls_context() is None
    assert Route(**GOOD, verify_name="other").server_name == "other"
    assert Route(**GOOD).server_name == "mx.example.net"


def test_an_authority_that_cannot_be_read(tmp_path):
    (tmp_path / "bad.pem").write_text("nothing")
    for name in ("bad.pem", "missing.pem"):
        with pytest.raises(RouteError, match="ca_file"):
            Route(**GOOD, ca_file=str(tmp_path / name)).tls_context()
