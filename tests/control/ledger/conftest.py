"""The house whose ledger is verified."""

import pytest
from tests.control.ledger.house import House


@pytest.fixture
def house(firm, tmp_path):
    """Sealed three times: what was governed, and two batches of events; nothing waits."""
    made = House(firm, tmp_path)
    made.seal()
    made.tell(copies=2)
    made.seal()
    made.tell("yan@example.org")
    made.tell("erased@example.org")
    made.seal()
    return made
