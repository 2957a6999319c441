"""Files handed in on the pages' behalf, and the worker beside them, as the process of `troth serve imports` runs it."""

import re
from functools import cache
from typing import Any
from uuid import UUID

from tests.support.firm import Operator
from tests.support.own_dns import OwnDns
from tests.support.pages import Answer, Visitor

from troth.control.audit import scope
from troth.control.imports.working import Worker
from troth.control.recipients.importing import RECIPIENTS
from troth.keys.keyring import OPERATOR
from troth.keys.opened import Keys
from troth.outside.dns import Resolver
from troth.settings.kinds import HostPort

TAKES_MAIL = ("example.net", "many.example", "home.example", "ven.example", "xn--exmple-cua.net", "gmaill.com",
              "d0.example", "d1.example", "d2.example")  # fmt: skip


@cache
def names() -> OwnDns:
    """A DNS server of the tests' own, for as long as they run."""
    return OwnDns({domain: {"MX": ["10 mx.example.net."]} for domain in TAKES_MAIL})


def resolver() -> Resolver:
    return Resolver([HostPort(names().server.host, names().server.port)], timeout=1.0)


def keys_of(operator: Operator) -> Keys:
    wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
    return Keys(operator.keyring, operator.secrets, operator.keyring.tenant(OPERATOR, wrapped))


def worker(operator: Operator, importers: dict[str, Any] | None = None, stopped=lambda: False, asks=None) -> Worker:
    where = operator.database.conninfo("troth_control")
    return Worker(lambda: scope.connect(where, "imports"), lambda _: keys_of(operator),
                  importers or {"recipients": RECIPIENTS}, stopped, asks or resolver())  # fmt: skip


def work(operator: Operator, importers: dict[str, Any] | None = None, asks: Resolver | None = None) -> int:
    """One round of everything that waits."""
    with scope.connect(operator.database.conninfo("troth_control"), "imports") as connection:
        return worker(operator, importers, asks=asks).round(connection)


def hand_in(visitor: Visitor, path: str, data: bytes, name: str = "people.csv", **fields: str) -> Answer:
    """The upload's form, as a browser sends it."""
    visitor.get(path)
    fields = {"source": "the staff list of March", "encoding": "detect", "pathway": "", **fields}
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', visitor.last)
    return visitor.send(path, {"csrfmiddlewaretoken": token[1] if token else "", **fields}, {"file": (name, data)})


def import_of(answer: Answer) -> UUID:
    return UUID(answer.url.rpartition("/imports/")[2][:36])
