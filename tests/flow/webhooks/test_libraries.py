"""Receivers' own libraries on what we send: standardwebhooks of PyPI and npm, svix and Resend's client; in a rotation, too."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from troth.control.webhooks import endpoints
from troth.rules.states import Kind

NODE = Path(__file__).resolve().parents[2] / "node"
LIBRARIES = ("standardwebhooks", "svix", "svixByStandardNames", "resend")


def by_node(deliveries):
    """What each of npm's libraries made of each delivery: its type, or `refused`."""
    if shutil.which("npm") is None and "CI" not in os.environ:
        pytest.skip("not run: needs node and npm")
    if not all((NODE / "node_modules" / name).is_dir() for name in ("standardwebhooks", "svix", "resend")):
        command = [shutil.which("npm"), "install", "--no-audit", "--no-fund", "--no-package-lock"]
        subprocess.run(command, cwd=NODE, check=True, capture_output=True)
    told = [{"secret": secret, "body": got.body.decode(), "headers": got.headers} for secret, got in deliveries]
    command = [shutil.which("node"), "verify.mjs"]
    ran = subprocess.run(command, cwd=NODE, input=json.dumps(told), capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def by_python(secret, got):
    try:
        return Webhook(secret).verify(got.body, got.headers)["type"]
    except WebhookVerificationError:
        return "refused"


async def test_every_library_verifies_before_in_and_after_a_rotation(hooks):
    receiver = await hooks.receiver()
    added = hooks.endpoint(receiver.url)
    (message,) = hooks.messages("zoe@example.net", subject="Grüße, 你好 \U0001f600")
    sender = hooks.sender()

    async def deliver(kind):
        n = sender.counters.delivered
        await hooks.tell(message, kind)
        await hooks.until(lambda: sender.counters.delivered > n)
        return receiver.taken[-1]

    before = await deliver(Kind.DELIVERED)
    found = endpoints.find(hooks.control, [hooks.river.tenant], added.id)
    second, _ = endpoints.rotate(hooks.control, hooks.river.keys, found, "test")
    during = await deliver(Kind.BOUNCED)
    hooks.move_clock(endpoints.OVERLAP)
    after = await deliver(Kind.COMPLAINED)
    good = [(added.secret, before), (added.secret, during), (second, during), (second, after)]
    bad = [(second, before), (added.secret, after)]
    types = ["email.delivered", "email.bounced", "email.bounced", "email.complained", "refused", "refused"]
    assert [by_python(*each) for each in (*good, *bad)] == types
    assert by_node([*good, *bad]) == [dict.fromkeys(LIBRARIES, said) for said in types]
