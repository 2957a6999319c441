"""Four eyes, in words: what each kind of change is called, and who may say yes to it."""

from troth.control.people.permissions import CLIENT_ROLES, HOUSE, permissions

# kind -> (what it is, in a heading; in a list of them)
KINDS = {
    "api-key": ("API key", "API keys"),
    "category": ("Category", "Categories"),
    "designation": ("Named individuals", "Named individuals"),
    "domain": ("Sending domain", "Sending domains"),
    "genesis": ("The first entry", "First entries"),
    "grant": ("Access", "Access of people"),
    "override": ("Exception from a suppression", "Exceptions from suppressions"),
    "policy": ("Policy", "Policies"),
    "programme": ("Programme", "Programmes"),
    "release": ("Release", "Releases"),
    "sign-on": ("Single sign-on", "Single sign-on"),
    "template": ("Template", "Templates"),
    "tenant": ("Client firm", "Client firms"),
}
STATES = {1: "proposed", 2: "approved", 3: "rejected", 4: "withdrawn", 5: "expired"}
# the look's words (web/templatetags/look.py) for the shape and colour of each
SHAPES = {1: "proposed", 2: "in force", 3: "rejected", 4: "withdrawn", 5: "expired"}
_SMALL = ("No", "One", "Two", "Three", "Four", "Five")


def kind(name: str) -> str:
    return KINDS.get(name, (name.capitalize(), ""))[0]


def titled(name: str, code: str, version: int | None) -> str:
    """What a change is about, in a heading: `version` is the one in force, None for a new thing."""
    what = kind(name)
    if name in ("grant", "release", "override", "designation", "sign-on", "genesis"):
        return what
    said = f"{what} “{code}”"
    if name == "policy":
        said = _policy(code)
    elif name == "api-key":
        said = what
    return f"{said}, version {version} to {version + 1}" if version else f"{said}, new"


def _policy(code: str) -> str:
    if code == "operator":
        return "The operator’s policy"
    return (
        f"The promise of “{code.removeprefix('programme:')}”"
        if code.startswith("programme:")
        else "The client’s policy"
    )


def approvers(name: str, profile: str, *, client: bool) -> str:
    """The roles that may approve a kind there, as a sentence's object."""
    action = f"{name}:approve"
    roles = [each.role for each in permissions().values() if each.action == action and each.profile == profile
             and (each.scope != "house") is client]  # fmt: skip
    own = [role for role in roles if role in CLIENT_ROLES]
    staff = [role for role in roles if role not in CLIENT_ROLES]
    told = [f"the client’s own {_listed(own)}"] if own else []
    told += [f"the operator’s {_listed(staff)}"] if staff else []
    return ", or ".join(told) or "nobody"


def profile_of(actor_profile: str, *, client: bool) -> str:
    return actor_profile if client else HOUSE


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def few(n: int) -> str:
    return _SMALL[n] if 0 <= n < len(_SMALL) else str(n)
