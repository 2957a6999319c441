"""Policies, edited: which level somebody works on, what bounds it from above, and what it says now."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.http import Http404

from troth.control.approvals.standing import Standing
from troth.control.people.actor import Actor, raw
from troth.control.policies import levels
from troth.control.policies.levels import Level
from troth.control.tenants.clients import Programme, programmes
from troth.rules.policy import FIELDS, Document, Policy, PolicyError, from_document, to_document, value_of
from troth.rules.profile import load_profile

_PROMISE = "promise-"


@dataclass(frozen=True, slots=True)
class Target:
    """One level to be edited. `slug`: in addresses; `code`, `tenant`: of the governed policy; `bound`: what it may not
    exceed, set by `bound_by`; `own`: what it says now; `whole`: a promise names every field.
    """

    slug: str
    code: str
    tenant: UUID | None
    title: str
    bound: Policy
    bound_by: Mapping[str, str]
    own: Document
    profile: str
    whole: bool = False
    here: Standing = field(default_factory=Standing)

    @property
    def before(self) -> Document | None:
        return self.own or None


def target(actor: Actor, slug: str) -> Target:
    """Http404 for what is not there to be edited from where this person looks."""
    found = None
    if actor.scope is not None:
        found = _client(actor) if slug == "client" else None
    elif slug == "operator":
        found = _operator()
    elif slug.startswith(_PROMISE):
        found = _promise(slug.removeprefix(_PROMISE))
    if found is None:
        raise Http404
    return found


def _client(actor: Actor) -> Target | None:
    here = levels.here_of(actor.scope)
    found = levels.levels(here)
    bound = levels.combined(found[:-1])
    if bound is None:
        return None
    own = here.policy or {}
    by = _set_by(bound, found[:-1])
    return Target("client", "tenant", actor.scope, actor.tenant_name, bound, by, own, here.profile or "", here=here)


def _operator() -> Target | None:
    found = {each.name: each for each in programmes(raw())}
    standings = {name: levels.here_of(None, each.id) for name, each in found.items()}
    promises = {name: policy for name, here in standings.items() if (policy := _policy(here.promise)) is not None}
    bound = levels.strictest_promise(promises)
    if bound is None:
        return None
    by = {
        each.path: next(
            f"the promise of {name}"
            for name, policy in promises.items()
            if value_of(policy, each.path) == value_of(bound, each.path) or levels.locked(each)
        )
        for each in FIELDS
        if any(value_of(p, each.path) == value_of(bound, each.path) for p in promises.values()) or levels.locked(each)
    }
    own = next(iter(standings.values())).operator or {}
    profiles = {found[name].profile for name in promises}
    return Target(
        "operator", "operator", None, "the operator", bound, by, own, profiles.pop() if len(profiles) == 1 else ""
    )


def _promise(code: str) -> Target | None:
    programme: Programme | None = next((each for each in programmes(raw()) if each.code == code), None)
    if programme is None:
        return None
    here = levels.here_of(None, programme.id)
    profile = load_profile(programme.profile)
    own: dict[str, dict[str, Any]] = {}
    if (held := _policy(here.promise)) is not None:
        own = {section: dict(body) for section, body in to_document(held).items()}
    by = {each.path: f"the profile {programme.profile}" for each in FIELDS}
    return Target(
        f"{_PROMISE}{code}", f"programme:{code}", None, f"the promise of {programme.name}", profile.policy, by, own,
        programme.profile, whole=True, here=here,
    )  # fmt: skip


def _policy(document: Document | None) -> Policy | None:
    try:
        return from_document(document) if document else None
    except PolicyError:
        return None


def _set_by(bound: Policy, above: list[Level]) -> dict[str, str]:
    """Which level's number a field's bound is."""
    names = {"promise": "the promise", "operator": "the operator", "plan": "the plan"}
    found = {}
    for each in FIELDS:
        value = value_of(bound, each.path)
        said = [level for level in above if levels.said_of(level.document, each) is not None]
        setter = next(
            (one for one in reversed(said) if levels.same(levels.said_of(one.document, each), value)), above[0]
        )
        found[each.path] = names[setter.name]
    return found
