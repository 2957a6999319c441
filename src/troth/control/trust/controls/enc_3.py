"""Control of ENC-3: programs reach the database over TLS in which both sides show a certificate."""

from troth.control import roles
from troth.control.trust import fences
from troth.control.trust.control import HOUR, Control
from troth.control.trust.found import Findings, Found
from troth.control.trust.look import Look, Programme
from troth.outside import database_probe

_MINE = """
SELECT inet_client_addr() IS NULL, s.ssl, coalesce(s.version, ''), coalesce(s.client_dn, '')
FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()
"""
_BELIEVED = ("verify-ca", "verify-full")  # the ways in which the database's own certificate is looked at
_VERSIONS = ("TLSv1.2", "TLSv1.3")
_PLACE = ("host", "hostaddr", "port", "dbname", "sslrootcert")


def check(look: Look, _: Programme | None) -> Found:
    findings = Findings()
    findings.take(fences.house(look.schema))
    with look.of(None) as connection:
        near, secret, version, shown = connection.execute(_MINE).fetchone() or (True, False, "", "")
    if near:
        findings.missing.append("programs reach the database by a socket of the machine that it runs on, without TLS")
        return findings.done()
    asked = look.connection.info.get_parameters()
    findings.seen |= {"tls": version, "believes": asked.get("sslmode", "prefer")}
    findings.need(secret and version in _VERSIONS, f"this program reaches the database with {version or 'no TLS'}")
    findings.need(shown, "this program shows the database no certificate")
    findings.need(asked.get("sslmode") in _BELIEVED, "this program believes whatever certificate the database shows")
    _door(findings, look, {name: asked[name] for name in _PLACE if name in asked})
    return findings.done()


def _door(findings: Findings, look: Look, place: dict[str, str]) -> None:
    """Each role of ours, without what it must have."""
    refused = 0
    for role in roles.LOGIN_ROLES:
        for way in database_probe.WAYS:
            look.hurry()
            shut, instead = database_probe.tried(place, role, way)
            refused += shut
            if instead:
                findings.wrong.append(f"{role} {instead} {way}")
            elif not shut:
                findings.missing.append(f"{role} could not be tried {way}")
    findings.seen["attempts_refused"] = refused


CONTROL = Control(
    "ENC-3",
    "enc_3",
    HOUR,
    "The control's own connection must speak TLS, show a certificate and look at the database's; then every role of "
    "ours is tried without a certificate and without TLS, and the database must refuse each.",
    check,
)
