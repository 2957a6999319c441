"""The desks: whose page a request is for: a programme by its domain, else the installation; and where its desks are."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest

from troth.control.audit.asking import rows

_PROGRAMMES = """
SELECT p.id, p.name, lower(p.domain), s.artefact FROM troth.programme p
LEFT JOIN troth.governed g ON g.subject = p.id AND g.kind = 'programme'
LEFT JOIN troth.snapshot s ON s.id = g.snapshot_id
ORDER BY p.created_at, p.id LIMIT 200
"""


@dataclass(frozen=True, slots=True)
class Who:
    """`programme` None: the installation's own. Addresses are "" where no mail is taken and none was approved."""

    name: str
    host: str
    programme: UUID | None = None
    abuse: str = ""
    security: str = ""
    languages: Sequence[str] = ("en",)
    encryption: str = ""
    policy: str = ""

    def mail(self, desk: str) -> str:
        return self.abuse if desk == "abuse" else self.security


def of(request: HttpRequest) -> Who:
    """By the name that the browser asked for; the installation where no programme has it."""
    name = request.get_host().rpartition(":")[0] or request.get_host()
    for programme, shown, domain, artefact in rows(_PROGRAMMES):
        if domain == name.lower():
            return _told(shown, f"https://{domain}", programme, json.loads(artefact or "{}").get("contacts") or {})
    return _told("Troth", settings.TROTH_PUBLIC_URL, None, {})


def _told(name: str, host: str, programme: UUID | None, contacts: dict[str, object]) -> Who:
    domain = settings.TROTH_MAIL_DOMAIN
    ours = {desk: f"{desk}@{domain}" if domain else "" for desk in ("abuse", "security")}
    languages = contacts.get("languages")
    return Who(
        name,
        host,
        programme,
        str(contacts.get("abuse") or ours["abuse"]),
        str(contacts.get("security") or ours["security"]),
        tuple(str(each) for each in languages) if isinstance(languages, list) and languages else ("en",),
        str(contacts.get("encryption") or ""),
        str(contacts.get("policy") or ""),
    )
