"""Claims: whether the database still stands as shipped around what a claim rests on; each fence yields what is wrong.

The expectation is the package's: its shape (shape.txt), its functions (shipped.py) and ownership.
"""

import re
from collections.abc import Iterator

from troth.control.ownership import FUNCTIONS, TABLES, Table
from troth.control.roles import LOGIN_ROLES, MIGRATE, OWNER
from troth.control.trust import shape, shipped
from troth.control.trust.schema import Grant, Relation, Schema

_EYES = ("claim_attempt_v1", "claim_fact_v1", "claim_record_v2", "claim_enter", "now_v1", "uuid7_floor")
_OFF = ("session_replication_role", "row_security", "role", "troth.tenant", "search_path")
_PRIVILEGE = re.compile(r"([A-Z]+)(?: \(([a-z0-9_, ]+)\))?")
_BY_NAME = {table.name: table for table in TABLES}
_CALLERS = {name.partition("(")[0]: frozenset(callers) for name, callers in FUNCTIONS.items()}


def house(schema: Schema) -> Iterator[str]:
    """Roles, the schema's owner, settings that could switch the rest off, and what the controls see through."""
    yield from functions(schema, *_EYES)
    if schema.owner != OWNER:
        yield f"the schema belongs to {schema.owner}, not to {OWNER}"
    for name in (OWNER, *LOGIN_ROLES):
        yield from _role(schema, name)
    yield from (f"{who} may act as {role}" for who, role in schema.members if (who, role) != (MIGRATE, OWNER))
    for role, setting in schema.settings:
        if setting.partition("=")[0] in _OFF and (role.startswith("troth") or role == "every role"):
            yield f"a setting is forced on {role}: {setting}"
    for role, name, what in schema.parameters:
        if role.startswith("troth") or role == "every role":
            yield f"{role} may {what} {name}, which is a superuser's"


def _role(schema: Schema, name: str) -> Iterator[str]:
    role = schema.roles.get(name)
    if role is None:
        yield f"the role {name} is gone"
        return
    powers = {"superuser": role.superuser, "bypassing row security": role.bypasses, "making roles": role.makes_roles,
              "making databases": role.makes_databases, "replication": role.replicates}  # fmt: skip
    yield from (f"{name} has the power of {power}" for power, there in powers.items() if there)
    extra = set(role.member_of) - ({OWNER} if name == MIGRATE else set())
    yield from (f"{name} may act as {other}" for other in sorted(extra))


def tables(schema: Schema, *names: str) -> Iterator[str]:
    """Each is a table of the owner's, with the shape and the grants that were shipped, all enforced, and no rules."""
    for name in names:
        relation = schema.relations.get(name)
        if relation is None or relation.kind not in ("r", "p"):
            yield f"{name} is not there as a table"
            continue
        yield from _relation(relation)
        yield from shape.differences(schema.lines, name)
        yield from _grants(schema, _BY_NAME[name])
        if _BY_NAME[name].tenant and not (relation.secured and relation.forced):
            yield f"row-level security of {name} is off"
        yield from _triggers(schema, name)
        yield from (f"the constraint {each} of {name} is not enforced" for each in sorted(schema.loose.get(name, ())))
        yield from (f"{child} is of {name} and was not shipped" for table, child in schema.children if table == name)
        for part in schema.partitions(name):
            yield from _partition(schema, name, part)


def _relation(relation: Relation) -> Iterator[str]:
    if relation.owner != OWNER:
        yield f"{relation.name} belongs to {relation.owner}, not to {OWNER}"
    if relation.rules:
        yield f"a rule rewrites what is said to {relation.name}"
    if relation.persistence != "p":
        yield f"{relation.name} is not kept through a crash"


def _grants(schema: Schema, table: Table) -> Iterator[str]:
    declared, there = _declared(table), schema.grants.get(table.name, set())
    yield from (f"{role} may {what} {_of(table, column)}" for role, what, column in sorted(there - declared, key=str))
    yield from (
        f"{role} may not {what} {_of(table, column)} any more"
        for role, what, column in sorted(declared - there, key=str)
    )


def _of(table: Table, column: str | None) -> str:
    return f"{table.name}.{column}" if column else table.name


def _declared(table: Table) -> set[Grant]:
    return {
        (role, privilege, column)
        for role, text in table.grants.items()
        for privilege, columns in _PRIVILEGE.findall(text)
        for column in (columns.split(", ") if columns else (None,))
    }


def _triggers(schema: Schema, table: str) -> Iterator[str]:
    """That each is as shipped, its line in the shape says; here whether it fires, and what it calls."""
    for trigger in shape.triggers(table):
        if schema.triggers.get((table, trigger.name), "O") not in ("O", "A"):
            yield f"the trigger {trigger.name} of {table} is switched off"
    yield from functions(schema, *sorted({trigger.function for trigger in shape.triggers(table)}))


def _partition(schema: Schema, table: str, part: Relation) -> Iterator[str]:
    """A partition is nobody's, and its triggers are its parent's."""
    yield from _relation(part)
    for role, what, _ in sorted(schema.grants.get(part.name, set()), key=str):
        yield f"{role} may {what} {part.name}, past its parent's policies"
    wanted = {each.name for each in shape.triggers(table) if each.row}
    there = {name for name, enabled in schema.clones.get(part.name, set()) if enabled in ("O", "A")}
    yield from (f"the trigger {name} of {part.name} is gone or off" for name in sorted(wanted - there))
    strange = {name for place, name in schema.triggers if place == part.name}
    yield from (f"{part.name} has a trigger {name} that was not shipped" for name in sorted(strange))
    yield from (
        f"{part.name} lacks a constraint of {table}"
        for constraint in sorted(schema.constraints.get(table, set()))
        if constraint.startswith("check") and constraint not in schema.constraints.get(part.name, set())
    )


def checks(schema: Schema, table: str, *conditions: str) -> Iterator[str]:
    """CHECK constraints that must be there, valid, as written in the migration."""
    there = schema.constraints.get(table, set())
    for each in conditions:
        if shipped.condition(f"CHECK {each}") not in there:
            yield f"{table} has lost its constraint: {each}"


def keys(schema: Schema, table: str, *definitions: str) -> Iterator[str]:
    """PRIMARY KEY, UNIQUE and FOREIGN KEY constraints, as pg_get_constraintdef says them."""
    there = schema.constraints.get(table, set())
    yield from (f"{table} has lost its {each}" for each in definitions if shipped.condition(each) not in there)


def not_null(schema: Schema, table: str, *columns: str) -> Iterator[str]:
    """Columns that may not be empty."""
    there = schema.columns.get(table, {})
    yield from (f"{table}.{each} may be empty" for each in columns if each not in there or not there[each].not_null)


def functions(schema: Schema, *names: str) -> Iterator[str]:
    """Functions as shipped: one of each name; head, body, language, whose rights it has, settings, owner, callers."""
    for name in names:
        there, wanted = schema.functions.get(name, []), shipped.functions().get(name)
        if wanted is None:
            yield f"{name} is no function of this version"
        elif len(there) != 1:
            yield f"there are {len(there)} functions {name}, not one"
        else:
            live = there[0]
            yield from shape.differences(schema.lines, f"{name}()")
            if (live.body, live.language, live.definer) != (wanted.body, wanted.language, wanted.definer):
                yield f"the function {name} is not as shipped"
            if wanted.search_path and "search_path=pg_catalog, troth, pg_temp" not in live.config:
                yield f"the function {name} has lost its search path"
            if strange := {each.partition("=")[0].lower() for each in live.config} - wanted.settings:
                yield f"the function {name} has settings that were not shipped: {', '.join(sorted(strange))}"
            if live.owner != OWNER:
                yield f"the function {name} belongs to {live.owner}, not to {OWNER}"
            if live.callers != _CALLERS.get(name, frozenset()):
                who = ", ".join(sorted(live.callers)) or "nobody"
                yield f"the function {name} may be called by {who}"
