"""What is deployed: units that systemd accepts and that are closed, a compose file without secrets, alarms on metrics there are."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from troth.cli.metrics.catalogue import BY_NAME, COUNTER, HISTOGRAM
from troth.cli.parser import parser
from troth.settings.declared import declared

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "observability" / "alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
CLOSED = {
    "NoNewPrivileges=true", "ProtectSystem=strict", "ProtectHome=true", "PrivateTmp=true", "PrivateDevices=true",
    "CapabilityBoundingSet=", "RestrictNamespaces=true", "RestrictSUIDSGID=true", "LockPersonality=true",
    "SystemCallFilter=@system-service", "UMask=0077", "User=troth", "ProtectKernelTunables=true",
}  # fmt: skip
PROCESSES = ("door", "worker", "pages", "duties", "sequencer", "webhooks", "metrics", "imports", "inbound")


@pytest.mark.needs_root
def test_systemd_accepts_the_units():
    assert shutil.which("systemd-analyze"), "apt install systemd"
    files = [*UNITS, *sorted((DEPLOY / "systemd").glob("*.timer"))]
    done = subprocess.run(["systemd-analyze", "verify", *files], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_every_unit_is_closed_and_runs_a_command_that_there_is(unit):
    lines = set(unit.read_text().splitlines())
    assert CLOSED <= lines
    [start] = [line for line in lines if line.startswith("ExecStart=")]
    words = shlex.split(start.removeprefix("ExecStart=/usr/bin/env troth "))
    for process in PROCESSES if "%i" in words else ("",):
        parser().parse_args([word.replace("%i", process) for word in words])
    named = re.findall(r"Environment=TROTH_(\w+)=", unit.read_text())
    assert {name.lower() for name in named} - {"config"} <= set(declared())


def test_every_service_is_watched_closed_and_told_its_secrets_by_files():
    secrets = {name for name, about in declared().items() if about[0].secret}
    for name, service in COMPOSE["services"].items():
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["cap_drop"] == ["ALL"]
        assert service["read_only"] is True
        assert set(service["secrets"]) <= set(COMPOSE["secrets"])
        for variable, value in service["environment"].items():
            if not variable.startswith("TROTH_"):
                assert "PASSWORD" not in variable or variable.endswith("_FILE")
                continue
            setting = variable.removeprefix("TROTH_").removesuffix("_FILE").lower()
            assert setting in declared() or setting == "config", variable
            assert (setting in secrets) == variable.endswith("_FILE"), f"{variable}: a secret is a file"
            if variable.endswith("_FILE"):
                assert Path(value).name in service["secrets"]
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"]
        assert set(service["networks"]) <= set(COMPOSE["networks"])
    assert all(port.startswith("127.0.0.1:") for port in COMPOSE["services"]["troth"]["ports"])


def test_the_image_is_made_of_the_locked_versions_and_drops_root():
    text = (DEPLOY / "Dockerfile").read_text()
    assert "--require-hashes -r requirements/deploy.txt" in text
    assert text.rindex("USER troth") < text.index("ENTRYPOINT")
    assert (DEPLOY.parent / COMPOSE["services"]["troth"]["build"]["dockerfile"]).exists()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alarm_is_on_a_metric_that_there_is(rule):
    named = set(re.findall(r"\btroth_[a-z_]+", rule["expr"]))
    assert named
    for name in named:
        metric = BY_NAME.get(name) or BY_NAME[re.sub(r"_(bucket|count|sum)$", "", name)]
        assert (metric.kind == HISTOGRAM) == (name != metric.name)
        assert metric.kind != COUNTER or re.search(rf"(rate|increase)\({name}", rule["expr"])
    for name, labels in re.findall(r"(troth_[a-z_]+)\{([^}]*)\}", rule["expr"]):
        metric = BY_NAME.get(name) or BY_NAME[re.sub(r"_(bucket|count|sum)$", "", name)]
        assert set(re.findall(r"(\w+)=", labels)) <= {*metric.labels, "le"}
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["runbook"]


def test_queue_age_is_the_first_alarm():
    assert "troth_queue_age_seconds" in RULES[0]["expr"]
