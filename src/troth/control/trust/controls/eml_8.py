"""Control of EML-8: mail goes out through a dedicated relay."""

from troth.control.trust.catalogue import shipped
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.outside.relay_probe import Greeting, Relay, greet

_DOMAINS = {"Mailgun": (".mailgun.org", ".mailgun.com")}  # whose certificates the relays that are promised show
_MODE = "SELECT mode FROM installation"


def check(look: Look, programme: Programme | None) -> Found:
    """What is set up to be another's relay, or one that only we ourselves vouch for, is not claimed to be it."""
    assert programme is not None
    findings, relay = Findings(), look.outside.relay
    told = shipped("EML-8", programme.profile)
    promised = next(name for name in _DOMAINS if name in told)
    if relay is None:
        findings.missing.append("this installation hands mail to no relay yet (relay_host)")
        return findings.done()
    findings.seen |= {"relay": relay.name, "port": relay.port, "tls": relay.tls}
    if not relay.name.lower().endswith(_DOMAINS[promised]):
        findings.missing.append(f"the relay of this installation is {relay.name}: nothing is known of {promised} here")
    elif relay.ca_file is not None and _mode(look) == "production":
        findings.missing.append(f"only an authority of our own (relay_ca_file) says that {relay.name} is {promised}")
    else:
        _weigh(findings, relay, look.once(("relay", relay), lambda: greet(relay)))
    return findings.done()


def _weigh(findings: Findings, relay: Relay, greeting: Greeting | None) -> None:
    if greeting is None:
        findings.old.append(f"nobody answers at {relay.host}, port {relay.port}, as a mail server")
        return
    findings.seen["banner"] = greeting.banner
    findings.need(not greeting.wrong, f"{relay.name} at {relay.host}, port {relay.port}: {greeting.wrong}")


def _mode(look: Look) -> str:
    with look.of(None) as connection:
        row = connection.execute(_MODE).fetchone()
    return str(row[0]) if row else ""


CONTROL = Control(
    "EML-8",
    "eml_8",
    HOUR,
    "The relay that mail is handed to is asked over the network: it answers as a mail server, and its certificate, "
    "believed by the system's authorities, is the promised relay's. Of another relay nothing is claimed.",
    check,
)
