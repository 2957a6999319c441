"""The question the house asks the DNS about a sending domain, before the gate lets it send and ever after.

A look-up that failed is an answer of its own, for the caller to weigh (the last verdict holds for 2 h): it
is never taken for a missing record.
"""

from troth.mail import domain_auth
from troth.mail.domain_auth import Finding, Policy, Readiness
from troth.outside.dns import LookupFailed, Outcome, Resolver


class _NoAnswer(Exception):  # noqa: N818 - carries an answer out of the helpers, never out of this module
    def __init__(self, failed: LookupFailed) -> None:
        super().__init__(failed.reason)
        self.failed = failed


async def check_domain(
    resolver: Resolver,
    domain: str,
    selector: str,
    public_key: str,
    spf_required: str,
    *,
    return_path_domain: str | None = None,
    strict_spf: bool = False,
) -> Readiness | LookupFailed:
    """Check a From domain (A-label form): SPF, the selector's DKIM key, DMARC, the return path.

    `public_key` is SubjectPublicKeyInfo DER in base64. The return path is the From domain unless named.
    """
    path = (return_path_domain or domain).lower()
    try:
        return await _Check(resolver, domain.lower(), path).run(selector, public_key, spf_required, strict=strict_spf)
    except _NoAnswer as error:
        return error.failed


class _Check:
    """One check: its resolver, its two domains, and the tree of DMARC records as it grows."""

    def __init__(self, resolver: Resolver, domain: str, path: str) -> None:
        self.resolver = resolver
        self.domain = domain
        self.path = path
        self.tree: dict[str, tuple[str, ...]] = {}

    async def run(self, selector: str, public_key: str, required: str, *, strict: bool) -> Readiness:
        records, exists = await self._txt(self.domain)
        spf = domain_auth.spf(records, required, at=self.domain, strict=strict)
        name = f"{selector}._domainkey.{self.domain}"
        dkim = domain_auth.dkim((await self._txt(name))[0], public_key, at=name)
        await self._walk(self.domain, whole=self.path != self.domain)
        dmarc = domain_auth.dmarc(self.tree, self.domain, exists=exists)
        applied = domain_auth.policy(self.tree, self.domain, exists=exists)
        return Readiness(spf, dkim, dmarc, await self._return_path(required, applied, strict=strict))

    async def _return_path(self, required: str, applied: Policy | None, *, strict: bool) -> Finding | None:
        if self.path == self.domain:
            return None
        records, _ = await self._txt(self.path)
        await self._walk(self.path, whole=True)
        spf = domain_auth.spf(records, required, at=self.path, strict=strict)
        return domain_auth.return_path(self.tree, self.domain, self.path, applied, spf)

    async def _walk(self, domain: str, *, whole: bool) -> None:
        """Ask up the tree; the domain's own record settles its policy, so a slow parent cannot close it."""
        for name in domain_auth.walk_names(domain):
            if name not in self.tree:
                self.tree[name] = (await self._txt(name))[0]
            if domain_auth.stops(self.tree[name]) or (not whole and domain_auth.settles(self.tree[name])):
                return
            whole = True  # the shortcut is the first name's alone: above it, the topmost record decides

    async def _txt(self, name: str) -> tuple[tuple[str, ...], bool]:
        found = await self.resolver.txt(name)
        if isinstance(found, LookupFailed):
            raise _NoAnswer(found)
        return found.values, found.outcome is not Outcome.NXDOMAIN
