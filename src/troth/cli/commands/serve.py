"""The command line, `troth serve`: one process of the platform, until SIGTERM."""

import argparse
import asyncio
from collections.abc import Callable

from troth.cli import logs, running, schema_guard, wiring
from troth.settings import Settings, require


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("serve", help="run one process of the platform")
    parser.add_argument("process", choices=sorted(PROCESSES))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, settings: Settings) -> int:
    logs.configure(settings)
    schema_guard.look(settings)
    return PROCESSES[args.process](settings)


def run_door(settings: Settings) -> int:
    from troth.cli import door

    return running.until_stopped(lambda stop: door.serve(settings, stop), settings.var_dir, "door")


def run_worker(settings: Settings) -> int:
    from troth.cli import worker

    require(settings, "relay_host")
    return worker.run(settings)


def run_pages(settings: Settings) -> int:
    from troth.cli import pages

    return pages.serve(settings)


def run_duties(settings: Settings) -> int:
    from troth.cli import domain_sending, postmaster
    from troth.flow import duties
    from troth.flow.gate import watch
    from troth.flow.gate.accept import Gate
    from troth.flow.gate.recall import opener
    from troth.flow.gate.world import Memory
    from troth.flow.submission import asking_imported, confirming, renewing

    require(settings, "spf_mechanism")

    async def work(stop: asyncio.Event) -> None:
        connect = wiring.connect_flow(settings)
        keys = await wiring.flow_keys(settings, connect)
        sending = domain_sending.of(settings, keys)
        own = watch.Own(connect)
        watching = (duties.Duty(*each) for each in watch.duties(own, opener(keys.keyring)))
        gate = Gate(connect, keys.keyring, keys.secrets, lanes=1)
        means, memory = confirming.Means(keys.keyring, keys.secrets, settings.public_url), Memory()
        renewals = duties.Duty("re-verification", 300, lambda c: renewing.renew(c, means, gate.submit, memory))
        apart = watch.Own(connect)  # a transaction for each mail, and nothing waits for it
        asking = apart.duty(lambda c: asking_imported.ask(c, means, gate.within, memory))
        imported = duties.Duty("asking those whom imports registered", 60, asking)
        apart_from_these = (*postmaster.duties(settings), *watching, renewals, imported)
        await gate.start()
        try:
            await duties.run_duties(connect, (*duties.standard(sending), *apart_from_these), stop)
        finally:
            await gate.stop()
            await own.close()
            await apart.close()

    return running.until_stopped(work, settings.var_dir, "duties")


def run_sequencer(settings: Settings) -> int:
    from troth.flow.evidence import sequencer
    from troth.flow.evidence.witness import Witness

    async def work(stop: asyncio.Event) -> None:
        connect = wiring.connect_ledger(settings)
        found = await wiring.flow_installation(settings, connect)
        keys = wiring.open_keys(settings, found.secrets_ct, found.operator_keyset)
        signer = sequencer.Signer.of(found.id, keys.secrets.ledger_seed)
        await sequencer.run_sequencer(connect, signer, Witness(settings.witness_path), stop)

    return running.until_stopped(work, settings.var_dir, "sequencer")


def run_webhooks(settings: Settings) -> int:
    from troth.cli import webhooks

    return running.until_stopped(lambda stop: webhooks.serve(settings, stop), settings.var_dir, "webhooks")


def run_imports(settings: Settings) -> int:
    from troth.cli import importing

    return running.until_stopped(lambda stop: importing.serve(settings, stop), settings.var_dir, "imports")


def run_inbound(settings: Settings) -> int:
    from troth.cli import inbound

    require(settings, "inbound_port", "return_path_domain")
    work = running.until_stopped
    return work(lambda stop: inbound.serve(settings, stop), settings.var_dir, "inbound", asyncio.run)


def run_metrics(settings: Settings) -> int:
    from troth.cli.metrics import serving

    return running.until_stopped(lambda stop: serving.serve(settings, stop), settings.var_dir, "metrics")


PROCESSES: dict[str, Callable[[Settings], int]] = {
    "door": run_door,
    "worker": run_worker,
    "pages": run_pages,
    "duties": run_duties,
    "sequencer": run_sequencer,
    "metrics": run_metrics,
    "imports": run_imports,
    "inbound": run_inbound,
    "webhooks": run_webhooks,
}
