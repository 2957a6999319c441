"""What counts as one network, of whose forms there are only so many a day."""

import pytest

from troth.control.asking.networks import network


@pytest.mark.parametrize(
    ("place", "counted"),
    [
        ("127.0.0.1", None), ("172.18.0.2", None), ("::1", None), ("::ffff:172.18.0.2", None), ("nowhere", None),
        ("8.8.8.8", "8.8.8.0/24"), ("::ffff:8.8.8.8", "8.8.8.0/24"), ("2606:4700::1", "2606:4700::/56"),
    ],
)  # fmt: skip
def test_a_proxy_that_stands_for_everybody_is_no_network(place, counted):
    assert network(place) == counted
