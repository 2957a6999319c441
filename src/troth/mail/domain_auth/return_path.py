"""Whether a return path outside a sending domain counts for it: its SPF, and RFC 9989's alignment."""

from troth.mail.domain_auth.dmarc_policy import Policy, Tree, organizational_domain
from troth.mail.domain_auth.finding import Finding


def return_path(tree: Tree, domain: str, path_domain: str, applied: Policy | None, spf: Finding) -> Finding:
    """Check a return-path domain: `spf` is the finding for it, `tree` holds both domains' walks.

    DKIM needs no such check: its d= is always the From domain, which aligns in either mode.
    """
    if not spf.ok:
        return Finding(False, f"return_path.{spf.code}", spf.sentence, spf.saw)
    strict = applied is not None and applied.aspf == "s"
    if strict and path_domain.lower() != domain.lower():
        sentence = f'Return mail to {domain}, or remove "aspf=s" from its DMARC record: {path_domain} must equal it.'
        return Finding(False, "return_path.strict", sentence, (path_domain,))
    organizations = organizational_domain(tree, domain), organizational_domain(tree, path_domain)
    if organizations[0] != organizations[1]:
        sentence = f"Return mail to a domain under {organizations[0]}: {path_domain} belongs to {organizations[1]}."
        return Finding(False, "return_path.alignment", sentence, organizations)
    return Finding(True, "return_path.ok", f"{path_domain} aligns with {domain}.", (path_domain,))
