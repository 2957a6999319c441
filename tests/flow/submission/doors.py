"""The cast at the door: keys, the system tenant, a client that holds a key, and an email that passes."""

import base64
from dataclasses import dataclass

import httpx
from starlette.applications import Starlette
from tests.support.firm import key_end, now

from troth.flow.submission import Deps
from troth.keys.api_keys import make_key
from troth.keys.ids import uuid7

CODE = {"category": "confirmation", "subject": "Code {{ code }}", "text": "{{ code }} {{ what }} {{ client }} {{ expires }}",
        "targeting": {}, "schema": dict.fromkeys(("code", "what", "client", "expires"), {"type": "string", "max_length": 400})}  # fmt: skip
TEXT = {"type": "string", "max_length": 400}
CONFIRM = {"category": "confirmation", "subject": "Confirm this address for {{ client }}", "html": None,
           "text": "{{ link }} {{ code }} {{ client }} {{ purpose }} {{ expires }}", "targeting": {},
           "schema": {"link": {"type": "url", "max_length": 400}, "code": TEXT, "client": TEXT, "purpose": TEXT, "expires": TEXT}}  # fmt: skip


def add_key(operator, firm, code="program", **artefact):
    """A key of the firm, approved; `artefact` overrides."""
    key = make_key("a")
    subject = operator.govern("api-key", firm.tenant, code, {
        "name": code, "prefix": key.prefix, "hash": key.hash.hex(), "categories": ["rent"],
        "expires_at": key_end(), "policy": {}, **artefact})  # fmt: skip
    return key, subject


def add_system_tenant(operator, firm, name="sys"):
    """The tenant that sends the programme's own mail, with the confirmation."""
    tenant = uuid7(now())
    keyset = operator.keyring.new_tenant_keyset(tenant)
    operator.govern("tenant", None, "system" if name == "sys" else name, {
        "programme": str(firm.programme), "name": "System", "kind": 2, "timezone": "UTC", "plan": "standard",
        "postal_address": "1 Test Street", "keyset": base64.b64encode(keyset).decode()}, tenant)  # fmt: skip
    domain = operator.govern("domain", tenant, f"{name}.example.com", {"name": f"{name}.example.com", "selector": "s1"})
    operator.admin.execute(
        "UPDATE domain_state SET ready_until = now_v1() + interval '2 hours', checked_at = now_v1(),"
        " last_good_at = now_v1() WHERE domain_id = %s", (domain,))  # fmt: skip
    operator.govern("category", tenant, "confirmation", {
        "name": "Confirmation", "purpose": "To verify an address", "legal_class": "transactional", "raw": False,
        "sender": {"name": "Troth", "address": f"confirm@{name}.example.com"}, "policy": {}})  # fmt: skip
    operator.govern("template", tenant, "confirm-address", {k: v for k, v in CONFIRM.items() if v is not None})
    operator.govern("template", tenant, "own-code", CODE)
    return tenant


@dataclass
class Door:
    """The door's app, and a client that holds the firm's key."""

    app: Starlette
    deps: Deps
    client: httpx.AsyncClient
    operator: object
    firm: object
    key: object

    def rows(self, query, *params):
        return self.operator.admin.execute(query, params).fetchall()

    def count(self, table):
        return self.rows(f"SELECT count(*) FROM {table}")[0][0]

    def erase(self, person):
        tenant = str(self.firm.tenant)
        self.rows("SELECT set_config('troth.tenant', %s, false)", tenant)
        assert self.rows("SELECT erase_person_v1(%s, %s)", tenant, person) == [(True,)]

    async def post(self, path="/emails", json=None, **more):
        return await self.client.post(path, json=json, **more)

    def requests(self):
        return self.rows("SELECT method, route, status, problem FROM api_request ORDER BY id")


def make_deps(operator, gate, lend, log, **more):
    return Deps(gate, lend, operator.keyring, operator.secrets, log, "a", "http://localhost:8026", **more)


def client_of(app, key=None):
    headers = {"authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://door.test", headers=headers)


def email(to="ann@example.net", **more):
    return {"to": to, "template": {"id": "reminder", "variables": {"name": "Ann"}}, **more}
