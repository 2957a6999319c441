"""The table of rights is what people reviewed, and no cell of it can be flipped unseen."""

import msgspec
from tests.control.matrix import grid

from troth.control.people import permissions
from troth.control.people.permissions import CLIENT_ROLES, HOUSE, OPERATOR_ROLES, SCOPES, Cells
from troth.rules.profile import PROFILES


def test_the_table_says_what_was_reviewed():
    assert list(grid.differences(grid.read(), permissions.permissions())) == []


def test_the_grid_has_a_letter_for_every_role_in_every_place():
    places = [(HOUSE, "house", role) for role in OPERATOR_ROLES]
    places += [(profile, "clients", role) for profile in PROFILES for role in OPERATOR_ROLES]
    places += [(profile, "own", role) for profile in PROFILES for role in CLIENT_ROLES]
    wanted = {(profile, name, scope, role) for name in permissions.actions() for profile, scope, role in places}
    assert grid.read().keys() == wanted


def test_a_flip_of_any_one_cell_is_seen(capsys):
    """Each yes made a no and each no a yes, as an edit of permissions.toml would make it."""
    expected, actions = grid.read(), permissions.actions()
    for profile, name, scope, role in expected:
        said = _seen(expected, name, _flipped(actions[name], profile, scope, role))
        assert any(f"{name} of {role} ({scope}" in line for line in said), (profile, name, scope, role)
    with capsys.disabled():
        print(f"\nflips: {len(expected)} cells of the table of rights flipped one by one, {len(expected)} seen")


def test_a_second_factor_or_a_designation_given_or_taken_is_seen():
    expected, actions = grid.read(), permissions.actions()
    for name, action in actions.items():
        other = msgspec.structs.replace(action, second=not action.second)
        # where it is asked in any case (of staff, and of most administrators) nothing is flipped
        if permissions.expanded({name: action}) != permissions.expanded({name: other}):
            assert _seen(expected, name, other)
        for profile in PROFILES if action.own or action.clients else ():
            named = {*action.named} ^ {profile}
            assert _seen(expected, name, msgspec.structs.replace(action, named=tuple(named)))


def test_what_nobody_reviewed_is_named():
    actions = {**permissions.actions(), "bank:rob": permissions.Action("take it all", own=("viewer",))}
    said = list(grid.differences(grid.read(), permissions.expanded(actions)))
    assert "bank:rob of viewer (own, property) is in permissions.toml and not in expected.txt: review it" in said[1]
    assert len(said) == len(PROFILES)


def test_whoever_may_decide_may_look_and_speak():
    """A right without what it needs would be a button that leads nowhere."""
    given = permissions.permissions().keys()
    for profile, name, scope, role in given:
        thing, verb = name.split(":")
        if verb == "approve" and thing != "genesis":
            assert {(profile, "change:read", scope, role), (profile, "change:comment", scope, role)} <= given, (
                name,
                role,
            )
        if verb == "propose":
            assert (profile, "change:read", scope, role) in given, (name, role)
        if thing in {"template", "category", "policy", "domain", "sign-on"} and scope == "clients":
            assert (profile, f"{thing}:read", scope, role) in given, (name, role)


def _flipped(action, profile, scope, role):
    """The action with one more or one fewer role at one place; for one profile in a row of its own."""
    before = action.profile.get(profile, Cells())
    here = getattr(before, scope) if profile and getattr(before, scope) is not None else getattr(action, scope)
    roles = SCOPES[scope] if here == ("*",) else here
    after = tuple(one for one in roles if one != role) if role in roles else (*roles, role)
    if profile == HOUSE:
        return msgspec.structs.replace(action, house=after)
    own = msgspec.structs.replace(before, **{scope: after})
    return msgspec.structs.replace(action, profile={**action.profile, profile: own})


def _seen(expected, name, action):
    """What the comparison says of the table with this one row in it."""
    own = {cell: letter for cell, letter in expected.items() if cell[1] == name}
    return list(grid.differences(own, permissions.expanded({name: action})))
