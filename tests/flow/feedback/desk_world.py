"""The desks' tests: an operator with a firm, a system tenant that may write, a gate, and letters brought to the desks."""

import base64
from datetime import timedelta
from types import SimpleNamespace

from tests.support.firm import make_firm, now

from troth.cli.demo import packs
from troth.flow.feedback import Deps
from troth.flow.feedback.desks import ABUSE, SECURITY, ReportDesk
from troth.flow.feedback.desks_mail import Mailer, tell_all
from troth.flow.gate.accept import Gate
from troth.flow.gate.asks import Ask, Caller, EmailAsked, Taken
from troth.flow.submission import Connections
from troth.keys import places
from troth.keys.ids import uuid7
from troth.keys.installation import Purpose
from troth.keys.keyring import OPERATOR
from troth.mail.arrived import Arrived
from troth.mail.tokens import make_token, verp_make
from troth.store.connection import connect

DOMAIN = "in.example"


def system_of(operator, firm, correspondence=True):
    """The programme's own tenant, with its domain and the approved correspondence."""
    tenant, name = uuid7(now()), "mail.own.example"
    keyset = base64.b64encode(operator.keyring.new_tenant_keyset(tenant)).decode()
    operator.govern("tenant", None, "system", {
        "programme": str(firm.programme), "name": "Troth", "kind": 2, "timezone": "Europe/London", "plan": "standard",
        "postal_address": "1 Pledge Street", "keyset": keyset}, tenant)  # fmt: skip
    domain = operator.govern("domain", tenant, name, {"name": name, "selector": "s1"})
    operator.admin.execute("UPDATE domain_state SET ready_until = now_v1() + interval '2 hours', checked_at = now_v1(),"
                           " last_good_at = now_v1() WHERE domain_id = %s", (domain,))  # fmt: skip
    if correspondence:
        operator.govern("category", tenant, "correspondence", {
            "name": "Correspondence", "purpose": "Answers who reported something", "legal_class": "transactional",
            "sender": {"name": "Troth", "address": f"desk@{name}"}, "policy": {},
            "lawful_basis": "legitimate-interest"})  # fmt: skip
        for pack in ("report-received", "report-update"):
            code, artefact = packs.template(f"system/{pack}")
            operator.govern("template", tenant, code, artefact)
    return tenant


class World:
    def __init__(self, operator, firm, gate, connections, system):
        self.operator, self.firm, self.gate, self.system = operator, firm, gate, system
        self.deps = Deps(connections.lend, operator.keyring, operator.secrets, submit=gate.submit)
        wrapped = operator.admin.execute("SELECT operator_keyset FROM installation").fetchone()[0]
        self.keys = operator.keyring.tenant(OPERATOR, wrapped)
        self.aligned = False
        self.desks = SimpleNamespace(**{
            what.local: ReportDesk(what, self.deps, self.keys, DOMAIN, self.signed) for what in (ABUSE, SECURITY)
        })  # fmt: skip
        self.mailer = Mailer(self.deps, self.keys, "https://troth.example", DOMAIN)

    async def signed(self, octets, part, sender, at, to):
        return self.aligned

    def rows(self, query, *params):
        return self.operator.admin.execute(query, params).fetchall()

    async def send(self, address="ann@example.net"):
        asked = EmailAsked((address,), template="reminder", variables={"name": "Ann"})
        answer = await self.gate.submit(Ask(Caller(key_hash=self.firm.key_hash), (asked,), "POST", "/emails"))
        assert isinstance(answer, Taken)
        return self.rows("SELECT id FROM message WHERE email_id = %s", answer.ids[0])[0][0]

    def header(self, message):
        ends = now() + timedelta(days=30)
        verp = verp_make(self.operator.secrets.token_keys(Purpose.VERP)[0], message, ends, "a")
        token = make_token(self.operator.secrets.token_keys(Purpose.UNSUBSCRIBE)[0], "unsubscribe", message.bytes, ends)
        return (f"Return-Path: <{verp}@{DOMAIN}>\r\nMessage-ID: <{message.hex}@{self.firm.name}>\r\n"
                f"List-Unsubscribe: <https://troth.example/u/{token}>\r\nSubject: Rent\r\n")  # fmt: skip

    async def bring(self, text, to=f"abuse@{DOMAIN}", path="ann@example.net"):
        desk = getattr(self.desks, to.partition("@")[0].partition("+")[0])
        assert await desk.knows(to)
        return await desk.take([to], Arrived("192.0.2.7", path, text.encode()))

    async def mail(self):
        async with self.deps.lend() as connection:
            return await tell_all(connection, self.mailer)

    def cases(self):
        return self.rows(
            "SELECT kind, cause, reference, state, tenant_id, message_id FROM case_file ORDER BY opened_at, id"
        )

    def case(self):
        [(case,)] = self.rows("SELECT id FROM case_file")
        return case

    def opened(self, case):
        """The timeline as a person reads it, and the papers."""
        entries = self.rows("SELECT id, kind, words_ct FROM case_entry WHERE case_id = %s ORDER BY at, id", case)
        words = [
            (kind, self.keys.open(bytes(ct), places.case_words(id_)).decode() if ct else "")
            for id_, kind, ct in entries
        ]
        papers = [self.keys.open(bytes(ct), places.case_paper(id_))
                  for id_, ct in self.rows("SELECT id, paper_ct FROM case_paper WHERE case_id = %s ORDER BY at, id", case)]  # fmt: skip
        return words, papers

    def clocks(self, case):
        return {name: met for name, met in self.rows("SELECT name, met_at FROM case_clock WHERE case_id = %s", case)}


def reach(operator):
    return lambda name: connect(operator.database.conninfo("troth_flow"), name)


async def world(operator, profile="property", correspondence=True):
    """To be closed by `end`."""
    firm = make_firm(operator, profile=profile)
    firm.person("ann@example.net")
    system = system_of(operator, firm, correspondence)
    gate = Gate(reach(operator), operator.keyring, operator.secrets)
    connections = Connections(reach(operator))
    await gate.start()
    made = World(operator, firm, gate, connections, system)
    made.connections = connections
    return made


async def end(made):
    await made.gate.stop()
    await made.connections.close()
