"""For the browser: simulations as they may stand in a house: one that moves, one that found much, nothing, or failed."""

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from tests.support.firm import now
from tests.support.pages import Site

from troth.control.simulator.reading import Kind, Mail, Told
from troth.control.simulator.tally import Tally, document, moment
from troth.keys.ids import uuid7, wire
from troth.rules.replay import Result, Sort

_SORT = Sort(b"", 1, 0, 0, None, None, None, 0, None)
_OK, _OVER, _HELD = (
    Result(0, "ok", "tenant_active"),
    Result(3, "rate-limited", "rate_tenant_hour"),
    Result(1, "anomaly-review", "volume_usual"),
)
_TEMPLATES = ("reminder", "maintenance-visit-arranged-with-the-caretaker", None)


def found(clients: int, *, much: bool = True) -> str:
    """A result as the simulator writes it."""
    tallies = []
    for n in range(clients):
        tally = Tally("firm" if n == 0 else f"another-client-{n}")
        for m in range(90):
            at = int((now() - timedelta(hours=m)).timestamp() * 1000)
            kind = Kind(_SORT, 0, _OK if m % 17 else _OVER, None, False, "rent", _TEMPLATES[m % 3])
            result = (_OVER if m % 4 == 0 else _HELD if m % 7 == 0 else _OK) if much else kind.then
            then = m % 17 != 0
            mail = Mail(at, 0, then, 0, not then, [Told(0, (), uuid7(now()).bytes)], None)
            tally.take(mail, [kind], [result], slow=False, then=then, now=result.outcome != 3)
        tally.sample = tally.equal_then = tally.equal_now = 80
        tallies.append(tally)
    made = document(tallies, lambda what, one: wire(what, "a", one))
    del made["cells"]
    span = {"from": moment((now() - timedelta(days=7)).timestamp()), "to": moment(now().timestamp())}
    return json.dumps({"level": "tenant", "days": 7, "clients": clients, **span, **made, "seconds": 21.4})


def simulated(state: str) -> Callable[[Site], str]:
    """What makes one: 'moving', 'much', 'nothing' or 'failed'."""

    def make(site: Site) -> str:
        one = uuid7(now())
        operator, tenant = site.operator, site.firm.tenant
        text = json.dumps({"limits": {"tenant_hour": 100 + len(state)}}, separators=(",", ":"))
        with operator.control.transaction():
            operator.control.execute("SELECT set_config('troth.tenant', %s, true)", (str(tenant),))
            ask = "SELECT simulation_ask_v1(%s, %s, 'tenant', 'tenant', NULL, %s, 7, %s)"
            operator.control.execute(ask, (one, tenant, text, operator.sessions[0]))
        _answer(site, one, state)
        return str(one)

    return make


def _answer(site: Site, one: UUID, state: str) -> None:
    control = site.operator.control
    control.execute("SELECT simulation_next_v1()")
    control.execute("SELECT simulation_tell_v1(%s, 412000, 1000000)", (one,))
    if state == "failed":
        why = "policy.limits.tenant_hour: The tenant policy sets limits.tenant_hour to 200 where a level above has 100."
        control.execute("SELECT simulation_end_v1(%s, NULL, %s)", (one, why))
    elif state != "moving":
        result = found(3 if state == "much" else 1, much=state == "much")
        control.execute("SELECT simulation_end_v1(%s, %s, NULL)", (one, result))
