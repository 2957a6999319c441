"""A client whose people sign on with a provider of the tests, and a browser that goes there and comes back."""

import base64
import urllib.parse
import urllib.request
from dataclasses import dataclass
from uuid import UUID

import msgspec
from tests.support.oidc_provider import CLIENT, SECRET
from tests.support.pages import Answer, Site, Visitor
from tests.support.saml_idp import SamlIdp, encoded

from troth.control.people.sign_on.connection import OpenId, Saml, SignOn
from troth.keys import places

DOMAIN = "firm.test"


class Traveller(Visitor):
    """A visitor who stops where a redirect leads away from our pages: `left` is the address there."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._opener = _with(self._opener, _Stop(self.url))

    @property
    def signed_in(self) -> bool:
        return any(cookie.name == "__Host-troth_proof" for cookie in self.cookies)

    def leave(self, address: str, after: str = "/") -> str:
        """From the sign-in page to the provider, by an address; where the browser is sent."""
        self.get("/sign-in/firm")
        page = self.post("/sign-in/firm", email=address, next=after)
        assert page.status == 200, page.text
        start = page.text.split('action="/sign-on/')[1].split('"')[0]
        away = self.post(f"/sign-on/{start}", hint=address, next=after)
        assert away.status == 303, (away.status, away.text)
        return away.headers["Location"]

    def bring(self, tenant: UUID, response: str) -> Answer:
        """A SAML response, as a page of the provider's posts it: from another site, without cookies of ours."""
        request = urllib.request.Request(
            f"{self.url}/sign-on/{tenant}/acs",
            f"SAMLResponse={urllib.parse.quote(encoded(response), safe='')}".encode(),
            {"Origin": "https://idp.firm.test"},
        )
        stranger = Traveller(self.url)
        answer = stranger._ask(request, follow=False)
        if answer.status != 303:
            self.last = answer.text
            return answer
        return self.get(answer.headers["Location"])

    def _ask(self, request, follow: bool = True) -> Answer:
        if follow:
            return super()._ask(request)
        opener, self._opener = self._opener, _with(self._opener, _Never())
        try:
            return super()._ask(request)
        finally:
            self._opener = opener


class _Stop(urllib.request.HTTPRedirectHandler):
    def __init__(self, ours: str) -> None:
        self.ours = ours

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        return super().redirect_request(req, fp, code, msg, headers, newurl) if newurl.startswith(self.ours) else None


class _Never(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_given):
        return None


def _with(opener, redirects):
    wanted = urllib.request.HTTPSHandler | urllib.request.HTTPCookieProcessor
    return urllib.request.build_opener(*(one for one in opener.handlers if isinstance(one, wanted)), redirects)


@dataclass
class Bound:
    """A site whose firm has bound `firm.test`."""

    site: Site

    @property
    def tenant(self) -> UUID:
        return self.site.firm.tenant

    def prove(self, domain: str = DOMAIN, tenant: UUID | None = None) -> None:
        self.site.operator.admin.execute(
            "INSERT INTO sign_on_proof (tenant_id, domain, seen_at, seen_by) VALUES (%s, %s, now_v1(), %s)"
            " ON CONFLICT DO NOTHING",
            (tenant or self.tenant, domain, self.site.member.account),
        )

    def govern(self, terms: SignOn, tenant: UUID | None = None) -> UUID:
        one = tenant or self.tenant
        for domain in terms.domains:
            self.prove(domain, one)
        subject = self.site.operator.admin.execute(
            "SELECT subject FROM governed WHERE kind = 'sign-on' AND tenant_id = %s", (one,)
        ).fetchone()
        artefact = msgspec.to_builtins(terms)
        return self.site.operator.govern("sign-on", one, "sign-on", artefact, subject[0] if subject else None)

    def saml(self, idp: SamlIdp, tenant: UUID | None = None, domains=(DOMAIN,), **more) -> SamlIdp:
        """`idp` is approved for the client, and knows us."""
        one = tenant or self.tenant
        provider = Saml(entity_id=idp.entity_id, sso_url=idp.sso, certificates=(idp.certificate,))
        self.govern(SignOn(domains=domains, saml=provider, **more), one)
        return idp.knows(Visitor(self.site.url).get(f"/sign-on/{one}/metadata").text)

    def openid(
        self, issuer: str, tenant: UUID | None = None, domains=(DOMAIN,), secret=SECRET, paths=None, **more
    ) -> None:
        one = tenant or self.tenant
        firm = self.site.firm if one == self.site.firm.tenant else self.site.other
        sealed = base64.b64encode(firm.keys.seal(secret.encode(), places.sign_on_secret(one))).decode()
        at = {
            "authorization_endpoint": "authorize",
            "token_endpoint": "token",
            "jwks_uri": "jwks",
            "userinfo_endpoint": "userinfo",
        }
        ends = {name: f"{issuer}/{path}" for name, path in {**at, **(paths or {})}.items()}
        provider = OpenId(issuer=issuer, client_id=CLIENT, client_secret_ct=sealed, **ends)
        self.govern(SignOn(domains=domains, openid=provider, **more), one)
