"""Running pages with a client's people: who writes, who approves, who may only look; and changes that wait."""

import pytest
from tests.control.approvals.proposing import propose
from tests.support import pages
from tests.support.pages import join


@pytest.fixture
def site(operator, tmp_path):
    running = pages.start(operator, tmp_path)
    yield running
    pages.stop(running)


@pytest.fixture
def people(site):
    """An author, an approver and a viewer of the client, with whom both factors are shown at the door."""
    named = {"author": "Ada Author <ada@firm.test>", "approver": "Ben Second <ben@firm.test>",
             "viewer": "Vera Viewer <vera@firm.test>"}  # fmt: skip
    return {role: join(site.operator, mailbox, role, site.firm.tenant) for role, mailbox in named.items()}


@pytest.fixture
def proposed(site, people):
    """Propose in somebody's name, with a session of theirs; gives the change's id and digest."""
    return lambda *given, **more: propose(site, people["author"].account, *given, **more)
