"""What a break is, and the sorts of breaks that many claims have in common."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Break:
    """`sql` breaks, `mend` mends; `rows`: tables that are copied before and put back after, for quiet changes."""

    claim: str
    name: str
    sql: tuple[str, ...]
    mend: tuple[str, ...] = ()
    rows: tuple[str, ...] = ()
    quiet: bool = field(default=False)

    def __str__(self):
        return f"{self.claim}: {self.name}"


def loud(claim, name, sql, mend):
    return Break(claim, name, (sql,) if isinstance(sql, str) else sql, (mend,) if isinstance(mend, str) else mend)


def quiet(claim, name, rows, *sql):
    return Break(claim, name, sql, (), (rows,) if isinstance(rows, str) else rows, quiet=True)


def fences(claim, table, trigger=None):
    """What may be done to any guarded table."""
    yield loud(
        claim,
        f"{table} is given to another",
        f"ALTER TABLE {table} OWNER TO postgres",
        f"ALTER TABLE {table} OWNER TO troth_owner",
    )
    yield loud(
        claim,
        f"{table} may be deleted from",
        f"GRANT DELETE ON {table} TO troth_control",
        f"REVOKE DELETE ON {table} FROM troth_control",
    )
    yield loud(
        claim, f"{table} is everybody's", f"GRANT UPDATE ON {table} TO PUBLIC", f"REVOKE UPDATE ON {table} FROM PUBLIC"
    )
    if trigger:
        yield loud(
            claim,
            f"{table}'s trigger is off",
            f"ALTER TABLE {table} DISABLE TRIGGER {trigger}",
            f"ALTER TABLE {table} ENABLE TRIGGER {trigger}",
        )
        yield loud(
            claim,
            f"{table}'s triggers are for replicas",
            f"ALTER TABLE {table} ENABLE REPLICA TRIGGER {trigger}",
            f"ALTER TABLE {table} ENABLE TRIGGER {trigger}",
        )


def secured(claim, table):
    yield loud(
        claim,
        f"{table}'s row security is off",
        f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
    )
    yield loud(
        claim,
        f"{table}'s row security spares its owner",
        f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY",
        f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY",
    )
    yield loud(
        claim,
        f"{table} has a policy more",
        f"CREATE POLICY more ON {table} USING (true)",
        f"DROP POLICY more ON {table}",
    )


def constraint(claim, table, name, expression, weaker="true"):
    drop, add = (
        f"ALTER TABLE {table} DROP CONSTRAINT {name}",
        f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({expression})",
    )
    yield loud(claim, f"{table} loses {name}", drop, add)
    yield loud(
        claim, f"{name} is weaker", (drop, f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({weaker})"), (drop, add)
    )
    yield loud(claim, f"{name} is not valid", (drop, f"{add} NOT VALID"), (drop, add))


def function(claim, name, signature):
    """Another body, made and mended by the test from the package's own file."""
    yield Break(claim, f"{name} is another", (f"-- another {name}",), (f"-- function {name}",))
    yield loud(
        claim,
        f"{name} is another's",
        f"ALTER FUNCTION {signature} OWNER TO postgres",
        f"ALTER FUNCTION {signature} OWNER TO troth_owner",
    )
    yield loud(
        claim,
        f"{name} may be called by all",
        f"GRANT EXECUTE ON FUNCTION {signature} TO PUBLIC",
        f"REVOKE EXECUTE ON FUNCTION {signature} FROM PUBLIC",
    )
    yield loud(
        claim,
        f"{name} looks elsewhere first",
        f"ALTER FUNCTION {signature} SET search_path = public, troth",
        f"ALTER FUNCTION {signature} SET search_path = pg_catalog, troth, pg_temp",
    )
    yield loud(
        claim,
        f"{name} has a setting of its own",
        f"ALTER FUNCTION {signature} SET work_mem = '96kB'",
        f"ALTER FUNCTION {signature} RESET work_mem",
    )


def foreign_keys(claim, table):
    """The triggers that enforce them are internal: no name of ours, and off one by one."""
    yield loud(
        claim, f"{table}'s foreign keys are not enforced", _internal(table, "DISABLE"), _internal(table, "ENABLE")
    )


def _internal(table, done):
    return f"""DO $$ DECLARE each name; BEGIN
FOR each IN SELECT tgname FROM pg_trigger WHERE tgrelid = 'troth.{table}'::regclass AND tgisinternal LOOP
    EXECUTE 'ALTER TABLE troth.{table} {done} TRIGGER ' || quote_ident(each);
END LOOP; END $$"""


def right(claim, action):
    """A right more, and one fewer, than was shipped."""
    more = f"VALUES ('property', '{action}', 'own', 'viewer', false, false)"
    yield loud(claim, f"a viewer may {action}", f"INSERT INTO permission {more}",
                f"DELETE FROM permission WHERE action = '{action}' AND role = 'viewer'")  # fmt: skip
    yield quiet(claim, f"nobody may {action}", "permission", f"DELETE FROM permission WHERE action = '{action}'")
    yield quiet(claim, f"{action} needs no second factor", "permission",
                 f"UPDATE permission SET second = NOT second WHERE action = '{action}'")  # fmt: skip
