"""Four eyes, in words: what each kind of change is called, and who may say yes to it."""

from collections.abc import Callable, Sequence

from troth.control.people.permissions import CLIENT_ROLES, permissions

# kind -> (what it is, in a heading; in a list of them)
KINDS = {
    "api-key": ("API key", "API keys"),
    "category": ("Category", "Categories"),
    "designation": ("Named individuals", "Named individuals"),
    "domain": ("Sending domain", "Sending domains"),
    "genesis": ("The first entry", "First entries"),
    "grant": ("Access", "Access of people"),
    "import": ("Import", "Imports"),
    "override": ("Exception from a suppression", "Exceptions from suppressions"),
    "policy": ("Policy", "Policies"),
    "programme": ("Programme", "Programmes"),
    "release": ("Release", "Releases"),
    "route": ("Warm-up of a route", "Warm-ups"),
    "sign-on": ("Single sign-on", "Single sign-on"),
    "template": ("Template", "Templates"),
    "tenant": ("Client firm", "Client firms"),
    "trust-page": ("A client’s own trust page", "Clients’ own trust pages"),
}
STATES = {1: "proposed", 2: "approved", 3: "rejected", 4: "withdrawn", 5: "expired"}
# the look's words (web/templatetags/look.py) for the shape and colour of each
SHAPES = {1: "proposed", 2: "in force", 3: "rejected", 4: "withdrawn", 5: "expired"}


def kind(name: str) -> str:
    return KINDS.get(name, (name.capitalize(), ""))[0]


def titled(name: str, code: str, version: int | None, called: str = "") -> str:
    """What a change is about, in a heading: `version` is the one before it, None for a new thing; `called`: what people
    call it, where its code is none of theirs.
    """
    what = kind(name)
    if name == "grant":
        return f"Access of {called}" if called else "Access of a person"
    if name in ("release", "override", "designation", "sign-on", "trust-page", "genesis", "import"):
        return what
    said = _policy(code) if name == "policy" else f"{what} “{called or code}”"
    return f"{said}, version {version} to {version + 1}" if version else f"{said}, new"


def called(name: str, about: Sequence[str | None] | None, opened: Callable[[str], str]) -> str:
    """A key's name; a person's, with what becomes of them. `about`: name, role, whether it ends."""
    if not about or not about[0]:
        return ""
    if name != "grant":
        return about[0]
    return f"{opened(about[0])}: {'ends' if about[2] == 'true' else about[1]}"


def _policy(code: str) -> str:
    if code == "operator":
        return "The operator’s policy"
    return (
        f"The promise of “{code.removeprefix('programme:')}”"
        if code.startswith("programme:")
        else "The client’s policy"
    )


def approvers(name: str, profile: str, *, client: bool, house: bool = False) -> str:
    """The roles that may approve a kind there, as a sentence's object. house: none of the client's own."""
    action = f"{name}:approve"
    roles = [each.role for each in permissions().values() if each.action == action and each.profile == profile
             and (each.scope != "house") is client]  # fmt: skip
    own = [] if house else [role for role in roles if role in CLIENT_ROLES]
    staff = [role for role in roles if role not in CLIENT_ROLES]
    told = [f"the client’s own {_listed(own)}"] if own else []
    told += [f"the operator’s {_listed(staff)}"] if staff else []
    return ", or ".join(told) or "nobody"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
