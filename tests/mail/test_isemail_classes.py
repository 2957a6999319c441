"""SMTP's grammar against isemail's classes, by cases of our own for each diagnosis: what its categories VALID, DNSWARN and
RFC5321 hold is a mailbox of SMTP, and what the others hold is none (the meaning of `syntax_ok_for_smtp`).
"""

import pytest

from troth.mail.inspect import Wanted, inspect
from troth.mail.smtp_mailbox import GrammarError, read_mailbox

LABEL = "x" * 63
NAME_253 = f"{LABEL}.{LABEL}.{LABEL}.{'x' * 61}"
# mailboxes of SMTP: diagnosis, cases
TAKEN = {
    "VALID": ["ann@b.example", "a.b.c@d.example", "a@1b.example", "0@b-c.example", f"{'a' * 64}@b.example", "a@b--c.example",
              f"a@{LABEL}.example", "!#$%&`*+/=?^{|}~'_-@b.example", "xn--a@b.example", "a@xn--bcher-kva.example"],
    "DNSWARN_NO_MX_RECORD": ["ann@no-mx.invalid"],
    "DNSWARN_NO_RECORD": ["ann@nothing.test"],
    "RFC5321_TLD": ["ann@example", "a@x", "a@localhost"],
    "RFC5321_TLDNUMERIC": ["a@b.1", "ann@192.0.2.1", "a@b.0x1", "a@256.256.256.256"],
    "RFC5321_QUOTEDSTRING": ['"a"@b.example', '""@b.example', '"a b"@c.example', '"\\a"@b.example', '"\\""@b.example', '"\\\\"@b.example',
                             '"a@b"@c.example', '"a\\ b"@c.example', '" "@b.example', '".a..b."@c.example', '"(a)"@b.example'],
    "RFC5321_ADDRESSLITERAL": ["a@[192.0.2.1]", "a@[0.0.0.0]", "a@[255.255.255.255]", "a@[IPv6:::]", "a@[IPv6:::1]", "a@[IPv6:1::]",
                               "a@[IPv6:1:2:3:4:5:6:7:8]", "a@[ipv6:2001:DB8::1]", "a@[IPv6:1::8]", "a@[IPv6:1:2:3:4:5::7]",
                               "a@[IPv6:::2:3:4:5:6:7]", "a@[IPv6:1:2:3:4:5:6::]", "a@[IPv6:1:2:3:4:5:6:192.0.2.1]",
                               "a@[IPv6:::192.0.2.1]", "a@[IPv6:1:2:3:4::192.0.2.1]", "a@[IPv6:1::192.0.2.1]"],
    "RFC5321_IPV6DEPRECATED": ["a@[IPv6:1111:2222:3333:4444:5555:6666::8888]", "a@[IPv6:1:2:3:4:5:6:7::]", "a@[IPv6:::2:3:4:5:6:7:8]",
                               "a@[IPv6:1111:2222:3333:4444:5555::255.255.255.255]", "a@[IPv6:1::3:4:5:6:7:8]",
                               "a@[IPv6:::3:4:5:6:192.0.2.1]", "a@[IPv6:1::3:4:5:192.0.2.1]"],
}  # fmt: skip
# none: diagnosis, cases
REFUSED = {
    "CFWS_COMMENT": ["(c)a@b.example", "a(c)@b.example", "a@(c)b.example", "a@b.example(c)", "(c(d))a@b.example", '"a"(c)@b.example'],
    "CFWS_FWS": [" a@b.example", "a @b.example", "a@ b.example", "a@b.example ", "\ta@b.example", "\r\n a@b.example", "a@b.example\r\n ",
                 '"a\tb"@c.example', '"a\r\n b"@c.example', ' "a"@b.example'],
    "DEPREC_LOCALPART": ['"a".b@c.example', 'a."b"@c.example', '"a"."b"@c.example'],
    "DEPREC_FWS": ["\r\n \r\n a@b.example", "a. b@c.example", "a .b@c.example", "a@b. example"],
    "DEPREC_QTEXT": ['"\x01"@b.example', '"\x7f"@b.example', '"\x0b"@b.example'],
    "DEPREC_QP": ['"\\\x00"@b.example', '"\\\x01"@b.example', '"\\\r"@b.example', '"\\\x7f"@b.example'],
    "DEPREC_COMMENT": ["a.(c)b@d.example", "a@b.(c)example", "a@b(c).example"],
    "DEPREC_CTEXT": ["(\x01)a@b.example", "(\\\x01)a@b.example"],
    "DEPREC_CFWS_NEAR_AT": ["a(c)@b.example", "a@(c)b.example", "a @b.example", "a@\r\n b.example"],
    "RFC5322_DOMAIN": ["a@b/c.example", "a@b_c.example", "a@b!c.example", "a@b~.example", "a@b=c.example", "a@*.example"],
    "RFC5322_TOOLONG": [f"{'a' * 4}@{NAME_253[:250]}", f'"{"a" * 20}"@{NAME_253[:240]}'],
    "RFC5322_LOCAL_TOOLONG": [f"{'a' * 65}@b.example", f'"{"a" * 63}"@b.example', f"{'ab.' * 22}c@d.example"],
    "RFC5322_DOMAIN_TOOLONG": [f"a@{LABEL}.{LABEL}.{LABEL}.{LABEL}.x"],
    "RFC5322_LABEL_TOOLONG": [f"a@{LABEL}x.example", f"a@b.{LABEL}x"],
    "RFC5322_DOMAINLITERAL": ["a@[b]", "a@[]", "a@[192.0.2]", "a@[192.0.2.256]", "a@[192.0.2.1.1]", "a@[192.0.2.1 ]", "a@[1111:2222::]",
                              "a@[b.example]", "a@[IPv5:::1]", "a@[IPv6]", "a@[IP v6:::1]"],
    "RFC5322_DOMLIT_OBSDTEXT": ["a@[b\\c]", "a@[\x01]", "a@[b\\]c]", "a@[IPv6:\\::1]"],
    "RFC5322_IPV6_GRPCOUNT": ["a@[IPv6:1:2:3:4:5:6:7]", "a@[IPv6:1:2:3:4:5:6:7:8:9]", "a@[IPv6:1:2:3:4:5:192.0.2.1]",
                              "a@[IPv6:1:2:3:4:5:6:7:192.0.2.1]", "a@[IPv6:1]", "a@[IPv6:192.0.2.1]"],
    "RFC5322_IPV6_2X2XCOLON": ["a@[IPv6:1::4::8]", "a@[IPv6:::1::]", "a@[IPv6:1:::8]", "a@[IPv6:1:2:3:4:::192.0.2.1]", "a@[IPv6::::]"],
    "RFC5322_IPV6_BADCHAR": ["a@[IPv6:1:2:3:4:5:6:7:888G]", "a@[IPv6:12345::]", "a@[IPv6:::x]", "a@[IPv6:::192.0.2.256]",
                             "a@[IPv6:::192.0.2]", "a@[IPv6:1%eth0::]", "a@[IPv6: ::1]", "a@[IPv6:::192.0.2.1:1]"],
    "RFC5322_IPV6_MAXGRPS": ["a@[IPv6:1:2:3:4:5:6::7:8]", "a@[IPv6:1:2:3:4:5:6:7:8::]", "a@[IPv6:::1:2:3:4:5:6:7:8]",
                             "a@[IPv6:1:2:3:4:5:6::192.0.2.1]", "a@[IPv6:1:2:3:4:5:6:7::9]"],
    "RFC5322_IPV6_COLONSTRT": ["a@[IPv6::2:3:4:5:6:7:8]", "a@[IPv6::192.0.2.1]", "a@[IPv6::1::8]"],
    "RFC5322_IPV6_COLONEND": ["a@[IPv6:1:2:3:4:5:6:7:]", "a@[IPv6:1::7:]", "a@[IPv6:1:]"],
    "ERR_EXPECTING_DTEXT": ["a@[[192.0.2.1]", "a@[192.0.[2.1]"],
    "ERR_NOLOCALPART": ["@", "@b.example", "(c)@b.example", " @b.example"],
    "ERR_NODOMAIN": ["", "a", "a@", '"a"@', "a@(c)", "a.b.example"],
    "ERR_CONSECUTIVEDOTS": ["a..b@c.example", "a@b..example", "a@...b"],
    "ERR_ATEXT_AFTER_CFWS": ["a (c)b@d.example", "a b@c.example", "a@b (c)example", "a@b example"],
    "ERR_ATEXT_AFTER_QS": ['"a"b@c.example', '"a""b"@c.example'],
    "ERR_ATEXT_AFTER_DOMLIT": ["a@[192.0.2.1]b", "a@[192.0.2.1].example"],
    "ERR_EXPECTING_QPAIR": ['"\\é"@b.example', "(\\é)a@b.example"],
    "ERR_EXPECTING_ATEXT": ["a<b@c.example", "a,b@c.example", "a:b@c.example", "a;b@c.example", "a>b@c.example", "a[b@c.example",
                            "a]b@c.example", "a@b@c.example", "a@b,c.example", "a\\b@c.example", "a)b@c.example", "a\x00@b.example",
                            'a"b"@c.example', "a@b\x7f.example"],
    "ERR_EXPECTING_QTEXT": ['"\x00"@b.example', '"\r"@b.example', '"\n"@b.example'],
    "ERR_EXPECTING_CTEXT": ["(\x00)a@b.example"],
    "ERR_BACKSLASHEND": ["a@b.example\\", '"a\\', "(a\\"],
    "ERR_DOT_START": [".a@b.example", "a@.b.example", ".@b.example", "a@."],
    "ERR_DOT_END": ["a.@b.example", "a@b.example.", "a@b."],
    "ERR_DOMAINHYPHENSTART": ["a@-b.example", "a@b.-c.example", "a@-"],
    "ERR_DOMAINHYPHENEND": ["a@b-.example", "a@b.example-", "a@b.c-.d"],
    "ERR_UNCLOSEDQUOTEDSTR": ['"a@b.example', '"a\\"@b.example', '"', '"\\"'],
    "ERR_UNCLOSEDCOMMENT": ["(a@b.example", "a@b.example(", "(a(b)@c.example", "a@(b"],
    "ERR_UNCLOSEDDOMLIT": ["a@[192.0.2.1", "a@[", "a@[IPv6:::1"],
    "ERR_FWS_CRLF_X2": ["\r\n\r\n a@b.example", "a@b.example\r\n\r\n "],
    "ERR_FWS_CRLF_END": ["a@b.example\r\n", "\r\na@b.example", " \r\na@b.example", "a@b.example \r\n"],
    "ERR_CR_NO_LF": ["a@b.example\r", "\ra@b.example", "a\r@b.example", '"a\r"@b.example', "a\n@b.example", "a@b.example\n"],
}  # fmt: skip


def each(classes):
    return [pytest.param(case, id=f"{name}-{n}") for name, cases in classes.items() for n, case in enumerate(cases)]


@pytest.mark.parametrize("text", each(TAKEN))
def test_what_is_a_mailbox_of_smtp(text):
    read_mailbox(text)
    assert inspect(text, Wanted(disposable=True)).smtp_valid


@pytest.mark.parametrize("text", each(REFUSED))
def test_what_is_none(text):
    with pytest.raises(GrammarError):
        read_mailbox(text)
    assert not inspect(text, Wanted(disposable=True)).smtp_valid
