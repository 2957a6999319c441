"""A pytest plugin for `make fuzz`: keeps only the property tests and gives each many more examples.

A test that sets its own `max_examples` keeps its number, unless that number came from the profile.
"""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "fuzz",
    max_examples=int(os.environ.get("EXAMPLES") or 10_000),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


def pytest_configure() -> None:
    settings.load_profile("fuzz")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept = [item for item in items if getattr(getattr(item, "obj", None), "is_hypothesis_test", False)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept
