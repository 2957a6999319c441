"""The question the house asks the DNS about a sending domain, before the gate lets it send and ever after.

A look-up that failed is an answer of its own, for the caller to weigh (the last verdict holds for 2 h): it
is never taken for a missing record. What is missing is looked for where people put it by mistake.
"""

from dataclasses import dataclass, replace

from troth.mail import domain_auth
from troth.mail.domain_auth import Finding, Policy, Readiness
from troth.outside.dns import Lookup, LookupFailed, Outcome, Resolver

PATH_LABEL = "bounce"  # bounce.<domain> is where a domain's bounces come back, so that SPF aligns with it


@dataclass(frozen=True, slots=True)
class Wanted:
    """What one domain must show. `public_key`: SubjectPublicKeyInfo DER in base64. `bounces`: the installation's domain
    of return paths, to which bounce.<domain> must lead; None: the domain's return paths are not asked about.
    """

    domain: str
    selector: str
    public_key: str
    spf: str
    bounces: str | None = None
    strict_spf: bool = False


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
    wanted = Wanted(domain.lower(), selector, public_key, spf_required, strict_spf=strict_spf)
    return await _answered(_Check(resolver, wanted, (return_path_domain or domain).lower()))


async def check(resolver: Resolver, wanted: Wanted) -> Readiness | LookupFailed:
    """The same with the domain's own return path, bounce.<domain>, where `wanted.bounces` says where it leads."""
    path = f"{PATH_LABEL}.{wanted.domain}" if wanted.bounces else wanted.domain
    return await _answered(_Check(resolver, wanted, path))


async def key_shown(resolver: Resolver, wanted: Wanted) -> Finding | LookupFailed:
    """Only the key's record."""
    try:
        return await _Check(resolver, wanted, wanted.domain).dkim()
    except _NoAnswer as error:
        return error.failed


async def _answered(checking: "_Check") -> Readiness | LookupFailed:
    try:
        return await checking.run()
    except _NoAnswer as error:
        return error.failed


class _Check:
    """One check: its resolver, its two domains, and the tree of DMARC records as it grows."""

    def __init__(self, resolver: Resolver, wanted: Wanted, path: str) -> None:
        self.resolver = resolver
        self.wanted = wanted
        self.domain = wanted.domain
        self.path = path
        self.tree: dict[str, tuple[str, ...]] = {}
        self.ttls: list[int] = []  # of what did not hold

    async def run(self) -> Readiness:
        own = await self._lookup(self.domain)
        exists = own.outcome is not Outcome.NXDOMAIN
        spf = await self._spf(own)
        dkim = await self.dkim()
        await self._walk(self.domain, whole=self.path != self.domain)
        dmarc = await self._dmarc(exists=exists)
        applied = domain_auth.policy(self.tree, self.domain, exists=exists)
        return Readiness(
            spf, dkim, dmarc, await self._return_path(applied, held=dmarc.ok), ttl=max(self.ttls, default=0)
        )

    async def _spf(self, own: Lookup[str]) -> Finding:
        at, wanted = self.domain, self.wanted
        found = domain_auth.spf(own.values, wanted.spf, at=at, strict=wanted.strict_spf)
        if found.ok:
            found = await self._included(own.values) or found
        elif own.canonical:
            found = domain_auth.at_alias("spf", found, at, own.canonical)
        elif found.code == "spf.missing" and own.outcome is Outcome.NXDOMAIN:
            sentence = f"There is no {at} in the DNS (NXDOMAIN): correct the name, or create it. {found.sentence}"
            found = await self._elsewhere("spf", replace(found, code="spf.nxdomain", sentence=sentence), at)
        else:
            found = domain_auth.nearer("spf", found, own.values, at)
        return self._kept(found, own)

    async def _included(self, own: tuple[str, ...]) -> Finding | None:
        """What the includes make of a record that is good by itself; one of ours is not the client's to mend."""
        records, ours = {self.domain: own}, set(domain_auth.followed((f"v=spf1 {self.wanted.spf}",)))
        waiting = list(domain_auth.followed(own))
        while waiting and len(records) < domain_auth.MAX_ASKED:
            name = waiting.pop(0)
            if name in records:
                continue
            found = await self.resolver.txt(name)
            if isinstance(found, LookupFailed) or (name in ours and not found.values):
                continue  # receivers ask again (temperror); the record itself says nothing wrong
            records[name] = found.values
            waiting.extend(domain_auth.followed(found.values))
        return domain_auth.tree_fault(records, self.domain)

    async def dkim(self) -> Finding:
        """The selector's record against our key."""
        at = f"{self.wanted.selector}._domainkey.{self.domain}"
        shown = await self._lookup(at)
        found = domain_auth.dkim(shown.values, self.wanted.public_key, at=at)
        found = domain_auth.nearer("dkim", found, shown.values, at, self.wanted.public_key)
        if not found.ok and shown.canonical:
            found = domain_auth.at_alias("dkim", found, at, shown.canonical)
        elif found.code == "dkim.missing":
            found = await self._elsewhere("dkim", found, at)
        return self._kept(found, shown)

    async def _dmarc(self, *, exists: bool) -> Finding:
        at = f"_dmarc.{self.domain}"
        found = domain_auth.dmarc(self.tree, self.domain, exists=exists)
        if found.ok:
            return found
        shown = await self._lookup(at)
        found = domain_auth.nearer("dmarc", found, shown.values, at)
        if found.code == "dmarc.missing":
            found = await self._elsewhere("dmarc", found, at)
        return self._kept(found, shown)

    async def _elsewhere(self, kind: str, finding: Finding, at: str) -> Finding:
        """Whether it stands where panels and people put it by mistake; silence there says nothing."""
        seen: dict[str, tuple[str, ...]] = {}
        for name in domain_auth.elsewhere(self.domain, at):
            found = await self.resolver.txt(name)
            if isinstance(found, Lookup):
                seen[name] = found.values
        return domain_auth.misplaced(kind, seen, at) or finding

    async def _return_path(self, applied: Policy | None, *, held: bool) -> Finding | None:
        if self.path == self.domain:
            return None
        shown = await self._lookup(self.path)
        spf = domain_auth.spf(shown.values, self.wanted.spf, at=self.path, strict=self.wanted.strict_spf)
        if self.wanted.bounces and (lost := await self._leads(shown, spf)):
            return self._kept(lost, shown)
        await self._walk(self.path, whole=True)
        if self.wanted.bounces and spf.ok and not held:
            # a name under the domain aligns with it; the tree that says so is what does not hold yet
            return Finding(True, "return_path.ok", f"{self.path} leads to {self.wanted.bounces}.")
        return self._kept(domain_auth.return_path(self.tree, self.domain, self.path, applied, spf), shown)

    async def _leads(self, shown: Lookup[str], spf: Finding) -> Finding | None:
        """What keeps bounces from coming back to us; None: nothing does."""
        ours = self.wanted.bounces or ""
        if shown.canonical == ours.lower() and spf.ok:
            return None
        there, here = await self._exchanges(self.path), await self._exchanges(ours)
        publish = f"Publish a CNAME record at {self.path} that leads to {ours}."
        if shown.canonical and shown.canonical != ours.lower():
            saw: tuple[str, ...] = (f"{self.path} CNAME {shown.canonical}",)
            return Finding(False, "return_path.cname", f"{publish} The one there leads to {shown.canonical}.", saw)
        if not there:
            return Finding(False, "return_path.missing", publish, shown.values)
        if not there <= here:
            saw = tuple(f"{self.path} MX {host}" for host in sorted(there))
            sentence = f"{publish} Its MX leads to {', '.join(sorted(there - here))}, where bounces would not reach us."
            return Finding(False, "return_path.mx", sentence, saw)
        return None

    async def _exchanges(self, name: str) -> set[str]:
        found = await self.resolver.mx(name)
        if isinstance(found, LookupFailed):
            raise _NoAnswer(found)
        return {host for _, host in found.values}

    async def _walk(self, domain: str, *, whole: bool) -> None:
        """Ask up the tree; the domain's own record settles its policy, so a slow parent cannot close it."""
        for name in domain_auth.walk_names(domain):
            if name not in self.tree:
                self.tree[name] = (await self._lookup(name)).values
            if domain_auth.stops(self.tree[name]) or (not whole and domain_auth.settles(self.tree[name])):
                return
            whole = True  # the shortcut is the first name's alone: above it, the topmost record decides

    def _kept(self, finding: Finding, shown: Lookup[str]) -> Finding:
        if not finding.ok:
            self.ttls.append(shown.ttl)
        return finding

    async def _lookup(self, name: str) -> Lookup[str]:
        found = await self.resolver.txt(name)
        if isinstance(found, LookupFailed):
            raise _NoAnswer(found)
        return found
