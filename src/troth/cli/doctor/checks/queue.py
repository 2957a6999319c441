"""Around the house: doctor's check of the queue: nothing that is due has waited long."""

from datetime import timedelta

from troth.cli.doctor.finding import Findings, ok, wrong
from troth.cli.doctor.patient import NotAsked, Patient, there

_LONG = timedelta(minutes=5)
# queued, claimed or deferred, and due; what is held waits on purpose
_ASK = """
SELECT count(*), now_v1() - min(due), (SELECT count(*) FROM pause
       WHERE released_at IS NULL AND tenant_id IS NULL AND effect = 'stop-delivery')
FROM spool WHERE state IN (2, 3, 7) AND due <= now_v1()
"""


def look(patient: Patient) -> Findings:
    with patient.connection("flow") as connection:
        if not there(connection, "spool"):
            raise NotAsked
        count, age, stopped = connection.execute(_ASK).fetchone() or (0, None, 0)
    if stopped:
        yield ok(f"all delivery is paused; {count} messages wait (`troth pause list`)")
    elif age is not None and age > _LONG:
        yield wrong(
            f"{count} messages are due and the oldest has waited {int(age.total_seconds()) // 60} min",
            "See that the workers run (`troth up`) and that the relay takes mail; other lines say what is in the way.",
        )
    else:
        yield ok(f"{count} messages are due, none for longer than {int(_LONG.total_seconds()) // 60} min")
