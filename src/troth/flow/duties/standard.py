"""Beside the river: the list of an installation's duties, each with its interval."""

from troth.flow.duties import reminders
from troth.flow.duties.domains import check_domains
from troth.flow.duties.reputation import watch
from troth.flow.duties.rotation import rotate
from troth.flow.duties.running import Duty
from troth.flow.duties.sending import Sending
from troth.store import access, asked, cases, complaints, people, relay
from troth.store import duties as store


def standard(sending: Sending) -> tuple[Duty, ...]:
    """The duties of an installation. Partitions are made 21 days ahead, so an hour's delay is nothing."""
    return (
        Duty("clock mark", 2, store.move_high_water),
        Duty("partitions", 3600, store.make_partitions),
        Duty("domain checks", 2, lambda connection: check_domains(connection, sending)),
        Duty("DKIM rotation", 60, lambda connection: rotate(connection, sending)),
        Duty("reputation", 60, lambda connection: watch(connection, sending)),
        Duty("sweeping", 3600, store.sweep),
        Duty("access", 60, access.duty),
        Duty("cases", 60, cases.duty),
        Duty("templates' messages", 60, complaints.count_templates),
        Duty("reminders", reminders.EVERY, reminders.remind),
        Duty("changes that nobody decided", 60, store.expire_changes),
        Duty("verifications that ended", 60, people.expiry_duty),
        Duty("calls of the relay", 3600, relay.sweep),
        Duty("what strangers asked", 600, asked.sweep),
    )
