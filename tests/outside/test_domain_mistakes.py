"""Every usual mistake with a sending domain's records, over a real (local) DNS: the right sentence for each."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.support.slow_dns import SlowDns

from troth.cli.demo.dns import DnsServer
from troth.mail.domain_auth import Readiness
from troth.outside.dns import LookupFailed, Resolver
from troth.outside.domain_check import Wanted, check, check_domain, key_shown


def der(bits):
    public = rsa.generate_private_key(65537, bits).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


KEY, OTHER, SHORT = der(2048), der(2048), der(1024)
D, OURS = "mail.client.test", "bounces.troth.test"
SEL, DMARC, PATH = f"s1._domainkey.{D}", f"_dmarc.{D}", f"bounce.{D}"
SPF, RELAY = "include:_spf.relay.test", "_spf.relay.test"
GOOD = {
    D: {"TXT": [f"v=spf1 {SPF} -all", "some-verification=1"], "MX": ["10 mx.client.test."]},
    SEL: {"TXT": [f"v=DKIM1; k=rsa; p={KEY}"]},
    DMARC: {"TXT": ["v=DMARC1; p=reject; rua=mailto:dmarc@bounces.troth.test"]},
    PATH: {"CNAME": [f"{OURS}."]},
    OURS: {"TXT": [f"v=spf1 {SPF} -all"], "MX": ["10 in.troth.test."]},
    RELAY: {"TXT": ["v=spf1 ip4:127.0.0.1 -all"]},
}
WANTED = Wanted(D, "s1", KEY, SPF, OURS)


async def asked(changes, *, wanted=WANTED, timeout=5.0):
    zones = {name: dict(types) for name, types in GOOD.items()}
    for name, types in changes.items():
        zones[name] = {**({} if types and ("CNAME" in types or "RCODE" in types) else zones.get(name, {})), **types}
    async with DnsServer(zones) as server:
        return await check(Resolver([(server.host, server.port)], timeout), wanted)


async def test_a_domain_with_everything_is_ready():
    found = await asked({})
    assert found.ready, found.problems
    assert found.return_path.code == "return_path.ok"


def chain(depth):
    names = [f"i{n}.spf.test" for n in range(depth)]
    zones = {name: {"TXT": [f"v=spf1 a include:{after} -all"]} for name, after in zip(names, names[1:], strict=False)}
    return {**zones, names[-1]: {"TXT": ["v=spf1 -all"]}, D: {"TXT": [f"v=spf1 {SPF} include:{names[0]} -all"]}}


MISTAKES = {
    # SPF
    "no SPF": ({D: {"TXT": ["other=1"]}}, "spf.missing", f"Publish a TXT record at {D}"),
    "two SPF": ({D: {"TXT": [f"v=spf1 {SPF} -all", "v=spf1 mx -all"]}}, "spf.several", "not 2: several count as none"),
    "SPF without ours": ({D: {"TXT": ["v=spf1 mx -all"]}}, "spf.required", f'Add "{SPF}"'),
    "SPF +all": ({D: {"TXT": [f"v=spf1 {SPF} +all"]}}, "spf.everyone", 'Remove "all"'),
    "SPF ?all": ({D: {"TXT": [f"v=spf1 {SPF} ?all"]}}, "spf.all", 'with "-all"'),
    "SPF without all": ({D: {"TXT": [f"v=spf1 {SPF}"]}}, "spf.all", 'with "-all"'),
    "SPF bad term": ({D: {"TXT": [f"v=spf1 {SPF} ipv4:192.0.2.1 -all"]}}, "spf.syntax", '"ipv4:192.0.2.1" is not valid'),
    "SPF quotes": ({D: {"TXT": [f'"v=spf1 {SPF} -all"']}}, "spf.quotes", "Remove the quotation marks"),
    "SPF typographic quotes": ({D: {"TXT": [f"“v=spf1 {SPF} -all”"]}}, "spf.quotes", "Remove the quotation marks"),
    "SPF space before": ({D: {"TXT": [f" v=spf1 {SPF} -all"]}}, "spf.space", "Remove the space before"),
    "SPF semicolon": ({D: {"TXT": [f"v=spf1;{SPF} -all"]}}, "spf.separator", "space behind"),
    "SPF run together": ({D: {"TXT": [f"v=spf1 {SPF}ip4:192.0.2.1 -all"]}}, "spf.joined", "split into strings"),
    "SPF strings without a space": ({D: {"TXT": ["v=spf1 ip4:192.0.2.1include:_spf.relay.test -all"]}}, "spf.joined", "split"),
    "SPF at a CNAME": ({D: {"CNAME": ["elsewhere.test."]}, "elsewhere.test": {"TXT": ["x"]}}, "spf.cname", "Remove the CNAME"),
    "SPF include gone": ({D: {"TXT": [f"v=spf1 {SPF} include:gone.test -all"]}}, "spf.include", "gone.test has no SPF record"),
    "SPF include doubled": (
        {D: {"TXT": [f"v=spf1 {SPF} include:two.test -all"]}, "two.test": {"TXT": ["v=spf1 -all", "v=spf1 a -all"]}},
        "spf.include", "two.test has 2 SPF records",
    ),
    "SPF lookups of its own": (
        {D: {"TXT": [f"v=spf1 {SPF} {' '.join(f'a:h{n}.test' for n in range(10))} -all"]}}, "spf.lookups", "11 terms",
    ),
    "SPF lookups of includes": (chain(7), "spf.lookups", "with what its includes look up in turn"),
    "SPF loop": (
        {D: {"TXT": [f"v=spf1 {SPF} include:l1.test -all"]}, "l1.test": {"TXT": ["v=spf1 include:l2.test -all"]},
         "l2.test": {"TXT": ["v=spf1 include:l1.test -all"]}}, "spf.lookups", "a loop of look-ups",
    ),
    "SPF doubled name": ({D: {"TXT": ["x"]}, f"{D}.{D}": {"TXT": [f"v=spf1 {SPF} -all"]}}, "spf.missing", "Publish"),
    # DKIM
    "no key": ({SEL: {"TXT": []}}, "dkim.missing", f"Publish a TXT record at {SEL}"),
    "two keys": ({SEL: {"TXT": [f"v=DKIM1; p={KEY}", f"v=DKIM1; p={OTHER}"]}}, "dkim.several", "not 2"),
    "key in pieces": (
        {SEL: {"TXT": [f"v=DKIM1; k=rsa; p={KEY[:200]}", KEY[200:]]}}, "dkim.pieces", "one TXT record of several strings",
    ),
    "key cut off": ({SEL: {"TXT": [f"v=DKIM1; k=rsa; p={KEY[:237]}"]}}, "dkim.truncated", f"first 237 of its {len(KEY)}"),
    "another key": ({SEL: {"TXT": [f"v=DKIM1; k=rsa; p={OTHER}"]}}, "dkim.other_key", "not the one"),
    "key revoked": ({SEL: {"TXT": ["v=DKIM1; k=rsa; p="]}}, "dkim.revoked", "is revoked"),
    "key too short": ({SEL: {"TXT": [f"v=DKIM1; k=rsa; p={SHORT}"]}}, "dkim.weak", "1024 bits, and 2048"),
    "key in test mode": ({SEL: {"TXT": [f"v=DKIM1; t=y; p={KEY}"]}}, "dkim.testing", 'Remove the flag "y"'),
    "key in quotes": ({SEL: {"TXT": [f'"v=DKIM1; k=rsa; p={KEY}"']}}, "dkim.quotes", "Remove the quotation marks"),
    "key quoted in the middle": (
        {SEL: {"TXT": [f'v=DKIM1; k=rsa; p={KEY[:200]}" "{KEY[200:]}']}}, "dkim.quotes", "Remove the quotation marks",
    ),
    "key version in lower case": ({SEL: {"TXT": [f"v=dkim1; p={KEY}"]}}, "dkim.case", 'Write "v=DKIM1" in capital'),
    "key without separators": ({SEL: {"TXT": [f"v=DKIM1 k=rsa p={KEY}"]}}, "dkim.separator", 'Put ";"'),
    "key name doubled": (
        {SEL: {"TXT": []}, f"{SEL}.client.test": {"TXT": [f"v=DKIM1; p={KEY}"]}}, "dkim.doubled_name", "adds the domain by itself",
    ),
    "key name doubled whole": (
        {SEL: {"TXT": []}, f"{SEL}.{D}": {"TXT": [f"v=DKIM1; p={KEY}"]}}, "dkim.doubled_name", f"from {SEL}.{D} to {SEL}",
    ),
    "key without _domainkey": ({SEL: {"TXT": []}, f"s1.{D}": {"TXT": [f"v=DKIM1; p={KEY}"]}}, "dkim.misplaced", f"from s1.{D}"),
    "key by a CNAME that leads to nothing": (
        {SEL: {"CNAME": ["keys.other.test."]}, "keys.other.test": {"TXT": [f"v=DKIM1; p={OTHER}"]}},
        "dkim.other_key", "which leads to keys.other.test",
    ),
    # DMARC
    "no DMARC": ({DMARC: {"TXT": []}}, "dmarc.missing", f"Publish one TXT record at {DMARC}"),
    "two DMARC": ({DMARC: {"TXT": ["v=DMARC1; p=reject", "v=DMARC1; p=none"]}}, "dmarc.several", "several"),
    "DMARC none": ({DMARC: {"TXT": ["v=DMARC1; p=none"]}}, "dmarc.policy", '"p=none"'),
    "DMARC quarantine": ({DMARC: {"TXT": ["v=DMARC1; p=quarantine"]}}, "dmarc.policy", '"p=quarantine"'),
    "DMARC half": ({DMARC: {"TXT": ["v=DMARC1; p=reject; pct=50"]}}, "dmarc.partial", 'Remove "pct=50"'),
    "DMARC test": ({DMARC: {"TXT": ["v=DMARC1; p=reject; t=y"]}}, "dmarc.testing", 'Remove "t=y"'),
    "DMARC of above": (
        {DMARC: {"TXT": []}, "_dmarc.client.test": {"TXT": ["v=DMARC1; p=reject; sp=none"]}}, "dmarc.policy", '"sp=none"',
    ),
    "DMARC bad policy": ({DMARC: {"TXT": ["v=DMARC1; p=rejected"]}}, "dmarc.invalid", "is not none, quarantine or reject"),
    "DMARC lower case": ({DMARC: {"TXT": ["v=dmarc1; p=reject"]}}, "dmarc.case", "capital letters"),
    "DMARC no separator": ({DMARC: {"TXT": ["v=DMARC1 p=reject"]}}, "dmarc.separator", 'Put ";"'),
    "DMARC comma": ({DMARC: {"TXT": ["v=DMARC1, p=reject"]}}, "dmarc.separator", 'Put ";"'),
    "DMARC quotes": ({DMARC: {"TXT": ['"v=DMARC1; p=reject"']}}, "dmarc.quotes", "Remove the quotation marks"),
    "DMARC name doubled": (
        {DMARC: {"TXT": []}, f"{DMARC}.client.test": {"TXT": ["v=DMARC1; p=reject"]}}, "dmarc.doubled_name", "by itself",
    ),
    "DMARC at the domain": (
        {DMARC: {"TXT": []}, D: {"TXT": [f"v=spf1 {SPF} -all", "v=DMARC1; p=reject"]}}, "dmarc.misplaced", f"from {D} to {DMARC}",
    ),
    # the return path
    "no return path": ({PATH: {"CNAME": []}}, "return_path.missing", f"CNAME record at {PATH} that leads to {OURS}"),
    "return path elsewhere": (
        {PATH: {"CNAME": ["other.test."]}, "other.test": {"TXT": ["x"]}}, "return_path.cname", "leads to other.test",
    ),
    "return path by a wrong MX": (
        {PATH: {"CNAME": [], "MX": ["10 mx.client.test."], "TXT": [f"v=spf1 {SPF} -all"]}}, "return_path.mx", "mx.client.test",
    ),
    "return path without SPF": (
        {PATH: {"CNAME": [], "MX": ["10 in.troth.test."]}}, "return_path.spf.missing", f"TXT record at {PATH}",
    ),
    "return path under strict alignment": (
        {DMARC: {"TXT": ["v=DMARC1; p=reject; aspf=s"]}}, "return_path.strict", 'remove "aspf=s"',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
async def test_each_mistake_has_its_sentence(name):
    changes, code, says = MISTAKES[name]
    found = await asked(changes)
    assert isinstance(found, Readiness), found
    assert not found.ready
    [wrong] = [each for each in found.findings if not each.ok]
    assert wrong.code == code
    assert says in wrong.sentence
    assert wrong.sentence.endswith((".", '"'))


async def test_a_domain_that_is_not_there_says_so_first():
    async with DnsServer({"other.test": {"TXT": ["x"]}}) as server:
        found = await check(Resolver([(server.host, server.port)]), Wanted("nosuch.test", "s1", KEY, SPF))
    assert found.spf.code == "spf.nxdomain"
    assert found.spf.sentence.startswith("There is no nosuch.test in the DNS (NXDOMAIN)")


async def test_an_spf_record_at_a_doubled_name_is_found_where_the_name_itself_is_not():
    zones = {"mail.x.test.x.test": {"TXT": [f"v=spf1 {SPF} -all"]}, "x.test": {"TXT": ["a"]}}
    async with DnsServer(zones) as server:
        found = await check(Resolver([(server.host, server.port)]), Wanted("mail.x.test", "s1", KEY, SPF))
    assert found.spf.code == "spf.doubled_name"
    assert "from mail.x.test.x.test to mail.x.test" in found.spf.sentence


async def test_a_return_path_by_mx_and_spf_holds_as_a_cname_does():
    found = await asked({PATH: {"CNAME": [], "MX": ["10 in.troth.test."], "TXT": [f"v=spf1 {SPF} -all"]}})
    assert found.ready, found.problems


@pytest.mark.parametrize("name", [D, SEL, DMARC, PATH])
@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [("SERVFAIL", "servfail", "(SERVFAIL)"), ("REFUSED", "refused", "refuse"), ("DROP", "timeout", "in time")],
)
async def test_a_fault_of_the_servers_is_told_as_that_and_never_as_a_missing_record(name, fault, kind, says):
    found = await asked({name: {"RCODE": [fault]}}, timeout=0.5)
    assert isinstance(found, LookupFailed)
    assert (found.kind, found.temporary) == (kind, True)
    assert says in found.reason
    assert name in found.reason


async def test_a_slow_server_is_waited_for_and_one_that_is_slower_is_no_answer():
    async with DnsServer(GOOD) as server, SlowDns(server, 0.2) as slow:
        assert (await check(Resolver([slow.address], 5.0), WANTED)).ready
        found = await check(Resolver([slow.address], 0.1), WANTED)
        assert isinstance(found, LookupFailed)
        assert "in time" in found.reason


async def test_an_include_of_ours_that_is_silent_or_empty_is_not_the_clients_fault():
    assert (await asked({RELAY: {"TXT": []}})).ready
    assert (await asked({RELAY: {"RCODE": ["SERVFAIL"]}}, timeout=1.0)).ready


async def test_what_cannot_be_looked_for_elsewhere_is_missing():
    found = await asked({SEL: {"TXT": []}, f"{SEL}.client.test": {"RCODE": ["SERVFAIL"]}}, timeout=1.0)
    assert found.dkim.code == "dkim.missing"


async def test_the_exchanges_must_be_answered_for():
    found = await asked({PATH: {"CNAME": [], "TXT": ["v=spf1 -all"], "RCODE": ["SERVFAIL"]}}, timeout=0.5)
    assert isinstance(found, LookupFailed)


async def test_a_key_alone_is_asked_for():
    async with DnsServer(GOOD) as server:
        resolver = Resolver([(server.host, server.port)], 0.5)
        assert (await key_shown(resolver, WANTED)).ok
        server.set(SEL, "RCODE", ["DROP"])
        assert isinstance(await key_shown(resolver, WANTED), LookupFailed)
        assert isinstance(await check_domain(resolver, D, "s1", KEY, SPF), LookupFailed)


async def test_a_failure_tells_how_long_the_old_record_is_kept():
    assert (await asked({DMARC: {"TXT": ["v=DMARC1; p=none"]}})).ttl == 5
    assert (await asked({})).ttl == 0
