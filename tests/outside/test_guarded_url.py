"""Which URLs and addresses a client may name: no spelling of an inner address passes, and every public one does."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.outside.guarded_url import BadUrl, ForbiddenAddress, Guard, networks, public

GUARD = Guard()
INNER = """
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1 127.1.2.3 169.254.169.254
169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255
198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 168.63.129.16
:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8 ::127.0.0.1 ::10.0.0.1 ::ffff:0:127.0.0.1
64:ff9b::127.0.0.1 64:ff9b::10.0.0.1 64:ff9b::8.8.8.8 64:ff9b:1::1 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378::1
2001:2::1 2001:10::1 2001:20::1 2001:db8::1 2002:7f00:1::1 2002:a00:1::1 2002:808:808::1 3fff::1 5f00::1 fc00::1
fd00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 febf::1 fec0::1 ff02::1 ff0e::1 2606:4700::5efe:7f00:1 2606:4700::200:5efe:a00:1
4000::1 8000::1
""".split()
OUTER = "8.8.8.8 1.1.1.1 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.1.1 223.255.255.255 2606:4700::1111 2a00:1450:4001::200e".split()


@pytest.mark.parametrize("text", INNER)
def test_an_inner_address_is_none_of_the_public_ones(text):
    assert not public(ip_address(text))
    with pytest.raises(ForbiddenAddress) as said:
        GUARD.check(ip_address(text))
    assert text not in str(said.value)  # what a client is told
    url = f"https://[{text}]/" if ":" in text else f"https://{text}/"
    with pytest.raises((ForbiddenAddress, BadUrl)):
        GUARD.read(url)


@pytest.mark.parametrize("text", OUTER)
def test_a_public_address_is_allowed(text):
    GUARD.check(ip_address(text))
    assert GUARD.read(f"https://[{text}]/" if ":" in text else f"https://{text}/").literal == ip_address(text)


@given(st.ip_addresses(v=4))
def test_no_public_v4_address_is_one_that_python_calls_inner(address: IPv4Address):
    inner = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    assert not (public(address) and (inner or address.is_reserved or address.is_unspecified))


@given(st.ip_addresses(v=6))
def test_no_public_v6_address_is_one_that_python_calls_inner_or_carries_one(address: IPv6Address):
    carried = address.ipv4_mapped or address.sixtofour or address.teredo
    inner = address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
    assert not (public(address) and (carried or inner or address.is_reserved or address.is_site_local))


@given(st.ip_addresses(v=4, network="127.0.0.0/8") | st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_an_inner_v4_address_wrapped_in_any_v6_form_is_forbidden(address: IPv4Address):
    value = int(address)
    for wrapped in (value, 0xFFFF << 32 | value, 0xFFFF << 48 | value, 0x64FF9B << 96 | value, 0x2002 << 112 | value << 80,
                    0x20010000 << 96 | value ^ 0xFFFFFFFF, 0x2606 << 112 | 0x5EFE << 32 | value):  # fmt: skip
        assert not public(IPv6Address(wrapped))


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "127.1", "127.0.1", "0", "1", "127.0.0.01", "127.0.0.1.",
        "0x7f.1", "017700000001", "①②⑦.0.0.1", "１２７.０.０.１", "127。0。0。1", "127.0.0.1%00", "127.0.0.256", "1.2.3", "1.2.3.4.5",
        "0xa9fea9fe", "169.254.43518", "[::1", "[::ffff:127.0.0.1]x", "[127.0.0.1]", "[fe80::1%25eth0]", "127.0.0.1%2e",
        "0x", "a.0x1", "foo.1",
    ],
)  # fmt: skip
def test_an_address_is_spelled_in_one_way(host):
    with pytest.raises((BadUrl, ForbiddenAddress)):
        GUARD.read(f"https://{host}/")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://hooks.example.com/", "Only https"),
        ("ftp://hooks.example.com/", "Only https"),
        ("//hooks.example.com/", "Only https"),
        ("https:hooks.example.com", "host"),
        ("https:///x", "host"),
        ("https://u@hooks.example.com/", "user name"),
        ("https://u:p@hooks.example.com/", "user name"),
        ("https://public.example.com@127.0.0.1/", "user name"),
        ("https://hooks.example.com/#x", "fragment"),
        ("https://hooks.example.com/#", "fragment"),
        ("https://hooks.example.com:25/", "Port 25"),
        ("https://hooks.example.com:0/", "Port 0"),
        ("https://hooks.example.com:99999/", "URL"),
        ("https://hooks.example.com:x/", "URL"),
        ("https://hooks/", "full domain name"),
        ("https://-a.example.com/", "full domain name"),
        ("https://a..example.com/", "domain name"),
        ("https://ex%61mple.com/", "host"),
        ("https://xn--a.b\u00ad.com\\@x/", "backslash"),
        ("https://hooks.example.com/\r\nX: y", "control"),
        ("https://hooks.example.com /", "space"),
        ("https://hooks.example.com/\ud800", "control"),
        ("https://" + "a" * 64 + "é.example/", "domain name"),
        ("https://hooks.example.com/" + "x" * 2048, "longer than 2048"),
    ],
)
def test_a_bad_url_is_refused_with_what_to_write_instead(url, says):
    with pytest.raises(BadUrl, match=says):
        GUARD.read(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "path", "authority"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/", "hooks.example.com"),
        ("https://Hooks.Example.COM.:8443/a%20b?c=d&e", "hooks.example.com", 8443, "/a%20b?c=d&e", "hooks.example.com:8443"),
        ("https://bücher.example/ü?ß", "xn--bcher-kva.example", 443, "/%C3%BC?%C3%9F", "xn--bcher-kva.example"),
        ("https://[2606:4700::1111]:443/", "2606:4700::1111", 443, "/", "[2606:4700::1111]"),
        ("HTTPS://x_y.example.com/", "x_y.example.com", 443, "/", "x_y.example.com"),
    ],
)  # fmt: skip
def test_a_good_url_is_taken_apart(url, host, port, path, authority):
    target = GUARD.read(url)
    assert (target.host, target.port, target.path, target.authority) == (host, port, path, authority)


def test_a_test_may_allow_loopback_on_any_port_and_nothing_else():
    guard = Guard(networks(("127.0.0.0/8",)), plain_http=True)
    assert guard.read("http://127.0.0.1:4711/").authority == "127.0.0.1:4711"
    assert guard.read("http://localhost:4711/").literal == ip_address("127.0.0.1")
    with pytest.raises(ForbiddenAddress):
        GUARD.read("https://localhost/")
    assert guard.read("http://hooks.example.com/").port == 80
    with pytest.raises(ForbiddenAddress):
        guard.read("http://10.0.0.1/")
    with pytest.raises(ForbiddenAddress):
        guard.read("http://[::1]/")
    with pytest.raises(BadUrl, match="Port 25"):
        guard.read("https://8.8.8.8:25/")
    guard.check(ip_address("127.3.2.1"))
    assert guard.allow == (ip_network("127.0.0.0/8"),)
    with pytest.raises(ValueError):
        networks(("127.0.0.1/8",))


@given(st.text(max_size=60))
def test_whatever_is_asked_is_answered(text):
    for url in (text, f"https://{text}", f"https://hooks.example.com/{text}"):
        try:
            target = GUARD.read(url)
        except (BadUrl, ForbiddenAddress):
            continue
        assert target.secure
        assert target.port in {443, 8443}
        assert target.path.startswith("/")
        assert target.path.isascii()
        assert not set(target.path + target.host) & set(" \r\n\t\\")
