"""Forms on a programme's own host behind a proxy that speaks TLS are ours: the inner request says HTTP alone."""

from urllib.parse import urlsplit

from troth.control.settings import _origins


def test_every_host_that_is_let_in_may_send_its_forms():
    public = urlsplit("https://troth.example:8443")
    assert _origins(public, ["localhost", "homes.example", ".x.example", "*"]) == [
        "https://troth.example:8443", "https://localhost", "https://homes.example", "https://*.x.example",
    ]  # fmt: skip
