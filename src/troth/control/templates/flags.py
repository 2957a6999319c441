"""Templates, for people: the marks of versions that were complained about, and the review that clears one."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_POST

from troth.control.audit.asking import rows
from troth.control.audit.refusals import Refused, refusals
from troth.control.audit.scope import within
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs
from troth.control.templates import reading

_MOST, _LONGEST = 20, 1_000
_FLAGS = """
SELECT f.id, f.version, f.since, f.cleared_at, f.cleared_why,
       (SELECT count(*) FROM complaint c WHERE c.template_snapshot = f.snapshot_id
        AND c.at >= f.since AND (f.cleared_at IS NULL OR c.at <= f.cleared_at))
FROM template_flag f WHERE f.tenant_id = %s AND f.subject = %s
ORDER BY f.cleared_at DESC NULLS FIRST, f.since DESC LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class Flag:
    id: UUID
    version: int
    since: datetime
    cleared_at: datetime | None
    cleared_why: str | None
    complaints: int


def flags(actor: Actor, subject: UUID) -> list[Flag]:
    """Those that stand first, then the newest; of the client that is looked at."""
    return [Flag(*each) for each in rows(_FLAGS, actor.scope, subject, _MOST)] if actor.scope else []


@needs("template-flag:clear")
@require_POST
def clear(request: HttpRequest, subject: UUID, flag: UUID) -> HttpResponse:
    """POST /templates/<subject>/flags/<flag>: why; what the review found."""
    actor = actor_of(request)
    reading.access_template(actor, subject)
    why = request.POST.get("why", "").replace("\0", "").strip()[:_LONGEST]
    if not why:
        messages.error(request, "The mark stands: say what the review found, for whoever looks at this later.")
        return HttpResponseRedirect(f"/templates/{subject}")
    try:
        with refusals(), within(raw(), actor.scope) as connection:
            connection.execute("SELECT troth.template_flag_clear_v1(%s, %s, %s)", (flag, why, actor.secret))
        messages.success(request, "Reviewed: the mark is cleared.", extra_tags="holds")
    except Refused as refused:
        messages.error(request, refused.sentence)
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect(f"/templates/{subject}")
