"""The trust centre, for a client firm's people: whether its part is shown under its own name, and proposing the other.

That is a change of kind `trust-page`, of two people and on record like every other; nothing is shown before.
"""

from dataclasses import dataclass
from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from troth.control.approvals import changes
from troth.control.approvals.artefacts.trust_page import CODE
from troth.control.approvals.changes import Proposal
from troth.control.audit.asking import row
from troth.control.audit.refusals import Refused
from troth.control.people.actor import Actor, actor_of, raw, scoped
from troth.control.people.guard import needs

_LONGEST = 2000  # characters of a reason
_CLIENT = 1
_STANDS = """
SELECT t.name, t.code, t.kind, p.name, p.code, coalesce(s.artefact::jsonb @> '{"shown": true}', false) AND NOT EXISTS (
           SELECT FROM troth.revocation r WHERE r.snapshot_id = s.id),
       troth.trust_page_v1(p.id, t.code) IS NOT NULL,
       (SELECT c.id FROM troth.change c WHERE c.kind = 'trust-page' AND c.tenant_id = t.id AND c.state = 1
            AND c.expires_at > troth.now_v1() ORDER BY c.proposed_at DESC LIMIT 1)
FROM troth.tenant t JOIN troth.programme p ON p.id = t.programme_id
LEFT JOIN troth.governed g ON g.tenant_id = t.id AND g.kind = 'trust-page' AND g.code = 'trust-page'
LEFT JOIN troth.snapshot s ON s.id = g.snapshot_id
WHERE t.id = %s
"""


@dataclass(frozen=True, slots=True)
class Stands:
    """`shown`: what two people chose; `there`: whether it is so now, which it is not while a stop is in force.
    `waiting`: the open change.
    """

    firm: str
    code: str
    kind: int
    programme: str
    programme_code: str
    shown: bool
    there: bool
    waiting: UUID | None

    @property
    def client(self) -> bool:
        return self.kind == _CLIENT

    @property
    def href(self) -> str:
        return f"/trust/{self.programme_code}/of/{self.code}"


@needs("trust-page:read", post="trust-page:propose")
@require_http_methods(["GET", "HEAD", "POST"])
def chosen(request: HttpRequest) -> HttpResponse:
    """GET and POST /trust-page"""
    actor = actor_of(request)
    assert actor.scope is not None
    stands, reason, fault = _stands(actor.scope), "", ""
    if request.method == "POST" and stands.client:
        reason = request.POST.get("reason", "").replace("\0", "")[: _LONGEST + 1]
        fault = _fault(reason)
        if not fault:
            answer = _propose(actor, actor.scope, {"shown": request.POST.get("shown") == "yes"}, reason)
            if isinstance(answer, HttpResponse):
                messages.success(request, "Proposed. Nothing changes until a second person approves.",
                                 extra_tags="proposed")  # fmt: skip
                return answer
            fault = answer
    context = {"section": "trust-page", "stands": stands, "typed": {"reason": reason}, "most": _LONGEST,
               "faults": {"reason": fault} if fault else {}}  # fmt: skip
    status = HTTPStatus.UNPROCESSABLE_ENTITY if fault else HTTPStatus.OK
    return render(request, "centre/choosing.html", context, status=status)


def _stands(tenant: UUID) -> Stands:
    found = row(_STANDS, tenant)
    assert found is not None
    return Stands(*found)


def _fault(reason: str) -> str:
    if not reason.strip():
        return "Say why, for the person who approves."
    return f"{_LONGEST:,} characters are the most: shorten it." if len(reason) > _LONGEST else ""


def _propose(actor: Actor, tenant: UUID, artefact: dict[str, bool], reason: str) -> HttpResponse | str:
    """To the change that waits now; or why there is none."""
    proposal = Proposal(CODE, CODE, artefact, reason.strip(), tenant)
    try:
        made = changes.propose(raw(), actor.secret, proposal)
    except Refused as refused:
        return refused.sentence
    finally:
        scoped(actor.scope)
    return HttpResponseRedirect(f"/changes/{made.id}")
