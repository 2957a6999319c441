"""Around the river: every metric there is, in one closed list; what is not here is not told. docs/metrics.md is this.

No label holds personal data or a client: each client would become a series, and their names are theirs.
"""

from dataclasses import dataclass

COUNTER, GAUGE, HISTOGRAM = "counter", "gauge", "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """`stage`: where in the river. `labels`: their names, in order."""

    name: str
    kind: str
    stage: str
    help: str
    labels: tuple[str, ...] = ()


METRICS: tuple[Metric, ...] = (
    # ---- the spool, queue age first
    Metric("troth_queue_age_seconds", GAUGE, "spool", "How long the oldest message that is due has been waiting."),
    Metric("troth_queue_due", GAUGE, "spool", "Messages that are due and not claimed."),
    Metric("troth_spool_rows", GAUGE, "spool", "Messages in the spool.", ("state",)),
    # ---- submission and the gate
    Metric("troth_door_seconds", HISTOGRAM, "submission", "From a request's head to its answer.", ("route", "status")),
    Metric("troth_gate_batch_asks", HISTOGRAM, "gate", "Requests in one accepting transaction."),
    Metric("troth_gate_batch_seconds", HISTOGRAM, "gate", "One accepting transaction."),
    Metric("troth_gate_answers_total", COUNTER, "gate", "Requests: taken, replayed or refused.", ("answer",)),
    Metric("troth_gate_messages_total", COUNTER, "gate", "Messages stored, by the state that the gate gave them.",
           ("state",)),
    # ---- delivery
    Metric("troth_delivery_total", COUNTER, "delivery", "Messages through a worker's hands: claimed, composed, marked, "
           "and what became of them.", ("step",)),
    Metric("troth_delivery_waiting", GAUGE, "delivery", "Claims that are not on the wire yet."),
    Metric("troth_delivery_sending", GAUGE, "delivery", "Messages on the wire."),
    Metric("troth_mark_seconds", HISTOGRAM, "delivery", "One mark, the statement that lets a group go."),
    Metric("troth_smtp_seconds", HISTOGRAM, "delivery", "From a message's hand-over to the next hop's answer."),
    Metric("troth_smtp_answers_total", COUNTER, "delivery", "Answers of the next hop.", ("outcome",)),
    Metric("troth_relay_connections", GAUGE, "delivery", "Connections to the relay.", ("state",)),
    Metric("troth_relay_failing", GAUGE, "delivery", "Workers whose last try to connect failed."),
    Metric("troth_relay_opened_total", COUNTER, "delivery", "Connections opened to the relay, and tries that failed.",
           ("result",)),
    # ---- around delivery
    Metric("troth_pauses", GAUGE, "delivery", "Pauses in force.", ("effect",)),
    Metric("troth_domains", GAUGE, "delivery", "Sending domains by whether the DNS lets them send now.", ("ready",)),
    # ---- evidence
    Metric("troth_ledger_pending", GAUGE, "evidence", "Entries and event batches that are not in the tree yet."),
    Metric("troth_ledger_pending_age_seconds", GAUGE, "evidence", "Age of the oldest of them; promised under 5 s."),
    Metric("troth_ledger_size", GAUGE, "evidence", "Leaves under the newest checkpoint."),
    Metric("troth_ledger_checkpoint_age_seconds", GAUGE, "evidence", "Age of the newest checkpoint."),
    # ---- webhooks
    Metric("troth_webhook_outbox", GAUGE, "webhooks", "Events that an endpoint has not taken yet."),
    Metric("troth_webhook_outbox_age_seconds", GAUGE, "webhooks", "Age of the oldest of them."),
    Metric("troth_webhook_total", COUNTER, "webhooks", "Attempts: delivered, failed, refused (the address was not "
           "public), lost, broken; deliveries given up; payloads with an unread part.", ("outcome",)),
    Metric("troth_webhook_sending", GAUGE, "webhooks", "Deliveries on the wire."),
    Metric("troth_webhook_disabled_total", COUNTER, "webhooks", "Endpoints disabled after long failure."),
    Metric("troth_webhook_notices_total", COUNTER, "webhooks", "Mails about that to administrators: sent, or unsent "
           "for a reason that `troth webhook list` tells.", ("result",)),
    # ---- what comes back
    Metric("troth_inbound_total", COUNTER, "feedback", "Incoming letters and connections: taken; automatic, gone, "
           "full, not-ours, refused (size, line, bare CR or LF), away (no store), broken, timeout, "
           "turned-away (too many).",
           ("outcome",)),
    Metric("troth_inbound_connections", GAUGE, "feedback", "Connections that bring mail."),
    Metric("troth_inbound_unread", GAUGE, "feedback", "Letters to postmaster that nobody has read."),
    Metric("troth_relay_webhooks_total", COUNTER, "feedback", "Webhooks of the relay: taken, confirmed; "
           "refused as forged, old, replayed, foreign, unreadable, early; store-unavailable, unverifiable.",
           ("relay", "outcome")),
    # ---- the house
    Metric("troth_duties_age_seconds", GAUGE, "house", "Since the duties last moved the clock's mark."),
    Metric("troth_processes", GAUGE, "house", "Processes on this machine that wrote down their numbers lately.",
           ("process",)),
    Metric("troth_process_restarts_total", COUNTER, "house", "Times that `troth up` started a process again.",
           ("process",)),
    Metric("troth_backup_age_seconds", GAUGE, "house", "Age of the last backup that this machine took."),
    Metric("troth_store_up", GAUGE, "house", "Whether the database answered just now."),
    Metric("troth_ready", GAUGE, "house", "Whether /healthz says 200."),
)  # fmt: skip  # read as a table

BY_NAME = {metric.name: metric for metric in METRICS}

_HEAD = """# Metrics

`troth up` tells them at `http://127.0.0.1:8027/metrics` (settings `metrics_host`, `metrics_port`), in the text format
of Prometheus; without a supervisor `troth serve metrics` does. One such process a machine: what the database knows is
the same on each, what processes count is of its machine. `/healthz` beside it answers 200 or 503 with a sentence: the
database answers, and of each kind of process one wrote down its numbers within 30 seconds. A kind that was never
started, or ended as it was told to, is not missed.

Watch `troth_queue_age_seconds` first: whatever breaks in delivery, it grows. Rules for alarms are in
[deploy/observability/alerts.yaml](../deploy/observability/alerts.yaml).

The list is closed: a metric that is not here is not told (`src/troth/cli/metrics/catalogue.py`). No label names a
person or a client. Durations are in seconds. Processes count in plain numbers and write them down every five seconds
(`var_dir/run/meters`), so counting costs a message under 5 microseconds, and a killed process loses at most its last
five seconds of counts.

| metric | type | stage | labels | what it tells |
|---|---|---|---|---|
"""


def markdown() -> str:
    """The page docs/metrics.md."""
    rows = (
        f"| `{m.name}` | {m.kind} | {m.stage} | {', '.join(f'`{label}`' for label in m.labels)} | {m.help} |\n"
        for m in METRICS
    )
    return _HEAD + "".join(rows)
