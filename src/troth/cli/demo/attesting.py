"""The demo's evidence: what its staff did for the promises that people keep, brought by one owner, accepted by the
other, by the same acts as behind the pages, the scan of the files among them.
"""

import json
import tomllib
from collections.abc import Sequence
from datetime import UTC, date, timedelta
from importlib.resources import files
from typing import Any

from troth.cli.demo.staff import Member
from troth.control.approvals import changes
from troth.control.audit.scope import Connection
from troth.control.evidence import acts
from troth.control.evidence.acts import Offered
from troth.control.evidence.scanning import scan
from troth.keys.keyring import TenantKeys
from troth.rules.restore_drill import Drill


def attest(connection: Connection, owners: Sequence[Member], keys: TenantKeys) -> int:
    """Everything of attesting.toml; how many pieces. `keys`: the operator's own."""
    first, second = owners
    now = changes.clock(connection)
    today = now.astimezone(UTC).date()
    found = pieces(today)
    for offered in found:
        made = acts.submit(connection, keys, first.session(connection), offered, now)
        acts.accept(connection, second.session(connection), made.id, made.digest)
    return len(found)


def pieces(today: date) -> list[Offered]:
    """As they are handed in on that day."""
    text = files("troth.cli.demo").joinpath("attesting.toml").read_text(encoding="utf-8")
    return [_offered(each, today) for each in tomllib.loads(text)["piece"]]


def _offered(each: dict[str, Any], today: date) -> Offered:
    name, content = _file(each, today)
    scanned = scan(name, content)
    done = today - timedelta(days=each["days"])
    return Offered(None, each["claim"], each["kind"], each["title"], scanned.filename, scanned.media_type, done,
                   each.get("public", False), content)  # fmt: skip


def _file(each: dict[str, Any], today: date) -> tuple[str, bytes]:
    """A drill's figures as `troth restore --drill` writes them; everything else in words."""
    if drill := each.get("drill"):
        return f"{each['kind']}.json", json.dumps(Drill(**drill).document()).encode()
    return f"{each['kind']}.txt", f"{each['text'].strip()}\n\nMade for the demo of {today}.\n".encode()
