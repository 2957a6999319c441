"""Four eyes, kind `sign-on`: the provider with which a client's people sign on, and for which domains."""

import base64
from collections.abc import Iterator
from urllib.parse import urlsplit

from troth.control.approvals.artefacts.domain import name_problem
from troth.control.approvals.asked import Asked
from troth.control.audit.refusals import Problem
from troth.control.audit.scope import within
from troth.control.people.sign_on import certificates
from troth.control.people.sign_on.connection import CODE, OpenId, Saml, SignOn
from troth.outside.guarded_url import BadUrl, ForbiddenAddress, Guard, networks

_TESTS = ("127.0.0.0/8", "::1/128")  # where a demo's and a test's providers are
_MOST_DOMAINS = 20
_MOST_CERTIFICATES = 5
_LONGEST = 1024  # characters of an entity id or a client id
_SPARE = "SELECT role FROM troth.account WHERE id = %s AND tenant_id = %s AND disabled_at IS NULL"
_DOMAINS = "SELECT domain, proved, taken FROM troth.sign_on_domains_v1(%s, %s)"


def check(asked: Asked) -> list[Problem]:
    given = asked.read(SignOn)
    problems = [] if asked.code == CODE else [Problem("code", "unknown", f"The code of a client's sign-on is {CODE}.")]
    if (given.openid is None) == (given.saml is None):
        problems.append(Problem("protocol", "count", "Name one provider: OpenID Connect or SAML, not both."))
    secure = asked.connection.execute("SELECT mode FROM troth.installation").fetchone()
    tests = secure is None or secure[0] != "production"
    guard = Guard(networks(_TESTS) if tests else (), plain_http=tests)
    if given.openid is not None:
        problems += _openid_problems(given.openid, guard)
    if given.saml is not None:
        problems += _saml_problems(given.saml, guard)
    if given.spare is not None:
        problems += _spare_problems(asked, given)
    return problems if given.retired else problems + list(_domain_problems(asked, given.domains))


def _openid_problems(given: OpenId, guard: Guard) -> list[Problem]:
    urls = {
        "issuer": given.issuer,
        "authorization_endpoint": given.authorization_endpoint,
        "token_endpoint": given.token_endpoint,
        "jwks_uri": given.jwks_uri,
        **({"userinfo_endpoint": given.userinfo_endpoint} if given.userinfo_endpoint else {}),
    }
    problems = [each for name, url in urls.items() for each in _url_problems(f"openid.{name}", url, guard)]
    if urlsplit(given.issuer).query:
        problems.append(Problem("openid.issuer", "grammar", "An issuer has no query (OpenID Connect Discovery 3)."))
    if not 0 < len(given.client_id) <= _LONGEST:
        problems.append(Problem("openid.client_id", "empty", "Give the client id that your provider shows."))
    if not _is_sealed(given.client_secret_ct):
        problems.append(Problem("openid.client_secret", "value", "This is not sealed under the client's keyset."))
    return problems


def _saml_problems(given: Saml, guard: Guard) -> list[Problem]:
    problems = _url_problems("saml.sso_url", given.sso_url, guard)
    if not 0 < len(given.entity_id) <= _LONGEST:
        problems.append(Problem("saml.entity_id", "empty", "The provider's metadata names its entity id."))
    if not 1 <= len(given.certificates) <= _MOST_CERTIFICATES:
        problems.append(Problem("saml.certificates", "count", f"Between one and {_MOST_CERTIFICATES} certificates."))
    for each in given.certificates:
        try:
            certificates.read(each)
        except certificates.BadCertificate as wrong:
            problems.append(Problem("saml.certificates", "value", str(wrong)))
    return problems


def _url_problems(field: str, url: str, guard: Guard) -> list[Problem]:
    """The browser goes there, or this server does (which asks its own guard once more): https, but for tests."""
    try:
        guard.read(url)
    except BadUrl as wrong:
        return [Problem(field, "grammar", str(wrong))]
    except ForbiddenAddress as inner:
        return [Problem(field, "forbidden", inner.sentence)]
    return []


def _spare_problems(asked: Asked, given: SignOn) -> list[Problem]:
    with within(asked.connection, asked.tenant):
        found = asked.connection.execute(_SPARE, (given.spare, asked.tenant)).fetchone()
    if found is None or found[0] != "admin":
        return [Problem("spare", "unknown", "Name one administrator of this client, who still has access.")]
    return []


def _domain_problems(asked: Asked, domains: tuple[str, ...]) -> Iterator[Problem]:
    if not 1 <= len(domains) <= _MOST_DOMAINS or len(set(domains)) != len(domains):
        yield Problem("domains", "count", f"Bind between one and {_MOST_DOMAINS} domains, each once.")
        return
    odd = [each for name in domains for each in name_problem("domains", name)]
    if odd:
        yield from odd
        return
    for domain, proved, taken in asked.connection.execute(_DOMAINS, (asked.tenant, list(domains))).fetchall():
        if taken:
            yield Problem("domains", "taken", f"{domain} is bound to another client already.")
        elif not proved:
            hint = f"{domain} is not shown to be yours yet: publish its TXT record, then check it on this page."
            yield Problem("domains", "unproved", hint)


def _is_sealed(text: str) -> bool:
    try:
        return base64.b64decode(text, validate=True)[:1] == b"\x01"
    except ValueError:
        return False
