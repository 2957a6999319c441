"""Around the house: every check of the doctor, in the order in which its findings are told."""

from troth.cli.doctor.checks import (
    backup,
    certificate,
    clock,
    database,
    disk,
    domains,
    inbound,
    key_file,
    ledger,
    ports,
    processes,
    queue,
    relay,
    resolver,
    return_path,
    rights,
    schema,
    settings,
)
from troth.cli.doctor.finding import Check

CHECKS = (
    Check("settings", settings.look),
    Check("disk", disk.look),
    Check("key file", key_file.look),
    Check("database", database.look),
    Check("schema", schema.look),
    Check("rights", rights.look),
    Check("clock", clock.look),
    Check("port", ports.look),
    Check("processes", processes.look),
    Check("queue", queue.look),
    Check("ledger", ledger.look),
    Check("DNS resolver", resolver.look),
    Check("domains", domains.look),
    Check("return path", return_path.look),
    Check("incoming mail", inbound.look, 10.0),
    Check("relay", relay.look, relay.SECONDS, relay.LATE),
    Check("certificate", certificate.look),
    Check("backup", backup.look),
)
