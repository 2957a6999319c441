"""TRC-1 and CPL-6 with the real pages on a world of their own: what the page says is what stands, in each state."""

import dataclasses
import shutil
import tempfile
from pathlib import Path

import psycopg
import pytest
from tests.control.trust.serving import serve
from tests.support.pages import free_port
from tests.support.postgres import Database, create

from troth.control.trust import trust_page
from troth.control.trust.found import State
from troth.control.trust.web_probe import Place

pytestmark = pytest.mark.slow
PAGE = "/trust/p-homes"


@pytest.fixture(scope="module")
def shop(pg_server, built):
    """A clone with servers of its own, which show what it holds."""
    name, folder = f"{built.database.name}_page", Path(tempfile.mkdtemp(prefix="troth-page-"))
    with psycopg.connect(**pg_server.conninfo(), autocommit=True) as admin:
        create(admin, name, built.database.name)
        roles = "troth_control, troth_flow, troth_ledger, troth_signin, troth_migrate"
        admin.execute(f"GRANT CONNECT ON DATABASE {name} TO {roles}")
    folder.chmod(0o755)
    witness = folder / "witness"
    shutil.copy(built.witness, witness)
    world = dataclasses.replace(built, database=Database(pg_server, name), witness=witness)
    world.served = serve(world.database, built.operator.kms_path, folder / "web")
    world.check()
    yield world
    world.served.stop()
    with psycopg.connect(**pg_server.conninfo(), autocommit=True) as admin:
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    shutil.rmtree(folder)


@pytest.fixture
def world(shop):
    yield shop
    shop.served.behave()


def state(world, claim="TRC-1", programme="p-homes"):
    found = world.check(claim, programme=programme)[claim]
    return str(found.state), "\n".join(why for part in found.parts for why in part.evidence["why"])


@pytest.mark.parametrize("programme", ["p-homes", "p-sites", "p-shops"])
def test_the_page_says_what_stands(world, programme):
    assert state(world, programme=programme) == ("holds", "")


def page(world):
    _, _, body = world.served.pages.behind("GET", PAGE, {"Host": world.served.pages.place.public})
    return body.decode()


def test_what_is_read_is_the_page(world):
    read = trust_page.read(page(world))
    assert tuple(read.sections) == trust_page.SECTIONS
    assert read.active == []
    told = {each.id: each.told() for each in read.promises}
    assert {State.HOLDS, State.NO_CONTROL} <= set(told.values())
    assert None not in told.values()
    stored = world.stored()
    assert told["SUP-3"] is stored["SUP-3"].state is State.HOLDS
    assert told["TRC-1"] is stored["TRC-1"].state


BREAKS = {
    "a section is gone": (' id="disclosure"', ' id="other"'),
    "a promise fails and is said to hold": ('data-tone="none" id="ENC-1"', 'data-tone="kept" id="ENC-1"'),
    "a promise is left out": (' id="SUP-3"><svg', ' id="SUP-9"><svg'),
    "a number is another": ("at least <b>2048 bits</b>", "at least <b>4096 bits</b>"),
    "a failure is hidden": (' id="SUP-2"><svg', ' id="SUP-2" hidden><svg'),
    "a promise stands twice": ("</main>", '<article id="SUP-2"></article></main>'),
    "a script is let on it": ("</main>", "<script>1</script></main>"),
    "a picture comes from elsewhere": ("</main>", '<img src="//elsewhere.example/x.gif"></main>'),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_page_that_says_otherwise_fails(world, name):
    one, other = BREAKS[name]
    assert state(world)[0] == "holds", state(world)[1]
    world.served.behave(f"changes {PAGE} {one} -> {other}")
    assert state(world)[0] == "fails"
    world.served.behave()
    assert state(world) == ("holds", "")


@pytest.mark.parametrize(
    "manner", ["loosens the policy", "drops content-security-policy", "drops x-content-type-options"]
)
def test_a_page_that_could_do_something_fails(world, manner):
    world.served.behave(manner)
    assert state(world)[0] == "fails"
    world.served.behave()
    assert state(world)[0] == "holds"


def test_a_state_that_turned_is_on_the_page_at_once(world):
    world.sql("GRANT DELETE ON suppression TO troth_control")
    assert state(world, "SUP-3")[0] == "fails"
    assert "SUP-3" in str([each.id for each in trust_page.read(page(world)).promises if each.told() is State.FAILS])
    assert state(world) == ("holds", "")
    world.sql("REVOKE DELETE ON suppression FROM troth_control")
    assert state(world, "SUP-3")[0] == "holds"


def test_a_page_that_the_database_does_not_let_be_made_fails(world):
    world.sql("REVOKE SELECT ON claim_history FROM troth_control")
    assert state(world)[0] == "fails"
    world.sql("GRANT SELECT ON claim_history TO troth_control")
    assert state(world) == ("holds", "")


def test_a_certificate_that_was_taken_off_again_is_not_kept_alive_by_its_own_failure(world):
    world.quiet("UPDATE programme SET name = 'An ISO 27001 firm' WHERE code = 'p-homes'")
    found, why = state(world, "CPL-6")
    assert found == "fails"
    assert "the programme speaks of a certificate" in why
    assert f"{PAGE} speaks of a certificate" in why
    world.quiet("UPDATE programme SET name = 'P' WHERE code = 'p-homes'")
    assert "speaks of a certificate" in page(world)
    assert state(world, "CPL-6") == ("holds", "")


def test_pages_that_nobody_reaches_are_no_data(world):
    away = dataclasses.replace(world, served=dataclasses.replace(world.served, pages=Away(), processes=[]))
    assert state(away) == ("no data yet", "the pages cannot be reached just now")
    assert state(away, "CPL-6")[0] == "no data yet"
    assert state(world) == ("holds", "")
    assert state(world, "CPL-6") == ("holds", "")


class Away:
    """Where nobody listens."""

    place = Place("127.0.0.1", free_port(), tls=False, public="localhost")


def test_an_old_check_is_stale_on_the_page_too(world):
    assert state(world)[0] == "holds"
    world.sql("UPDATE installation SET clock_offset = clock_offset + interval '2 hours'")
    assert str(world.stored("TRC-1")["TRC-1"].state) == "stale"
    assert state(world) == ("holds", "")
    told = {each.id: each.told() for each in trust_page.read(page(world)).promises}
    assert told["SUP-3"] is State.STALE
    assert told["TRC-1"] is State.HOLDS
