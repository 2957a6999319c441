"""Around the river: numbers as Prometheus reads them (text format 0.0.4), by the names of the catalogue."""

import math
from collections.abc import Iterator

from troth.cli.metrics.adding import Added
from troth.cli.metrics.catalogue import HISTOGRAM, METRICS, Metric
from troth.outside.meters import BOUNDS, SEPARATOR, Timing

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def text(added: Added, known: dict[str, dict[str, float]]) -> str:
    """`known`: what the database and this process know. What the catalogue does not list is not told."""
    values = {**added.gauges, **added.counters}
    for name, series in known.items():
        values.setdefault(name, {}).update(series)
    return "".join(line for metric in METRICS for line in _metric(metric, values, added.timings))


def _metric(
    metric: Metric, values: dict[str, dict[str, float]], timings: dict[str, dict[str, Timing]]
) -> Iterator[str]:
    yield f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} {metric.kind}\n"
    if metric.kind == HISTOGRAM:
        for labels, timing in sorted(timings.get(metric.name, {}).items()):
            yield from _histogram(metric, labels, timing)
        return
    for labels, value in sorted(values.get(metric.name, {}).items()):
        yield f"{metric.name}{_labels(metric, labels)} {_number(value)}\n"


def _histogram(metric: Metric, labels: str, timing: Timing) -> Iterator[str]:
    below = 0
    for bound, count in zip((*BOUNDS[metric.name], math.inf), timing.counts, strict=True):
        below += count
        yield f"{metric.name}_bucket{_labels(metric, labels, le=_number(bound))} {below}\n"
    yield f"{metric.name}_sum{_labels(metric, labels)} {_number(timing.total)}\n"
    yield f"{metric.name}_count{_labels(metric, labels)} {below}\n"


def _labels(metric: Metric, labels: str, **more: str) -> str:
    given = dict(zip(metric.labels, labels.split(SEPARATOR), strict=True)) if metric.labels else {}
    pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in (given | more).items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isinf(value):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(float(value))
