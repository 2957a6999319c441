"""What a check of a sending domain says: four findings and the verdict that the gate reads."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing checked. `code` is stable ("spf.missing"); `sentence` says what holds, or what to publish."""

    ok: bool
    code: str
    sentence: str
    saw: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Readiness:
    """All that must hold before a domain sends; no `return_path` when that is the domain itself."""

    spf: Finding
    dkim: Finding
    dmarc: Finding
    return_path: Finding | None = None
    advice: tuple[Finding, ...] = ()  # what would be better, and closes nothing
    ttl: int = 0  # seconds that whoever answered keeps the record that does not hold, the longest of them

    @property
    def findings(self) -> tuple[Finding, ...]:
        found = (self.spf, self.dkim, self.dmarc)
        return found if self.return_path is None else (*found, self.return_path)

    @property
    def ready(self) -> bool:
        return all(finding.ok for finding in self.findings)

    @property
    def problems(self) -> tuple[str, ...]:
        return tuple(finding.sentence for finding in self.findings if not finding.ok)
