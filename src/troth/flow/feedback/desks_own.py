"""Feedback, the desks: what a recipient reports on their own page becomes a case, too, on the same clocks. What they
wrote stays with the report, under their own key, so that an erasure takes it along.
"""

from troth.flow.feedback.own_view import View
from troth.keys import ids
from troth.rules import desks
from troth.store import cases
from troth.store import desks as store
from troth.store.connection import Connection

CAUSE = "report"


async def open_case(connection: Connection, view: View) -> None:
    """In the transaction of the report itself; once a message."""
    [found] = await store.match(connection, [view.row.id])
    policies = desks.policies(await store.policies(connection, found.tenant, None))
    await cases.open_case(connection, cases.NewCase(
        ids.uuid7(view.now), "abuse", CAUSE, f"own-page:{view.row.id}", "A recipient’s report from their own page",
        tenant=found.tenant, programme=found.programme, message=found.message, category=found.category,
        template=found.template, clocks=desks.soonest("abuse", CAUSE, policies, view.now),
    ))  # fmt: skip
