"""Setting a password: a link that serves once and not for long, what a password may be, and what it ends."""

import threading
import time

import pytest
from tests.support.pages import PASSWORD, Visitor

from troth.control.people import links
from troth.control.people.words import check

NEW = "seven brown boxes of string"


def made(site, who, why="invitation"):
    """The path of a new link, as `troth person invite` makes it."""
    return links.make(site.operator.database.open("troth_signin"), who.account, why).path


def put(visitor: Visitor, path: str, password: str = NEW, again: str | None = None):
    visitor.get(path)
    return visitor.post(path, password=password, again=password if again is None else again)


def test_a_link_sets_a_password_once_and_ends_other_sessions(site):
    inside, path, other = site.visitor(site.member), made(site, site.member), made(site, site.member)
    looked = site.visitor().get(path)
    assert looked.status == 200
    assert site.member.address not in looked.text  # the link may be in other hands
    done = put(site.visitor(), path)
    assert "The password is set" in done.text
    assert inside.get("/").url == f"{site.url}/sign-in"
    assert site.visitor().sign_in(site.member, NEW).url == f"{site.url}/"
    assert "do not match" in site.visitor().sign_in(site.member, PASSWORD).text
    for ended in (path, other):
        again = site.visitor().get(ended)
        assert again.status == 410
        assert "serves no more" in again.text
    kinds = [row[0] for row in site.operator.admin.execute("SELECT kind FROM ledger_pending ORDER BY id DESC LIMIT 20")]
    assert kinds.count("people:password:set") >= 1
    assert kinds.count("people:password-link:make") >= 2


@pytest.mark.parametrize(("why", "minutes"), [("reset", 30), ("invitation", 24 * 60)])
def test_a_link_ends(site, why, minutes):
    path = made(site, site.member, why)
    site.operator.admin.execute("UPDATE installation SET clock_offset = make_interval(mins => %s)", (minutes - 1,))
    assert site.visitor().get(path).status == 200
    open_one = site.visitor()
    open_one.get(path)
    site.operator.admin.execute("UPDATE installation SET clock_offset = make_interval(mins => %s)", (minutes,))
    assert open_one.post(path, password=NEW, again=NEW).status == 410
    assert site.visitor().sign_in(site.member).url == f"{site.url}/"


def test_two_at_once_with_one_link_are_one(site):
    path, answers = made(site, site.member), []
    visitors = [site.visitor() for _ in range(4)]
    for visitor in visitors:
        visitor.get(path)
    threads = [
        threading.Thread(
            target=lambda v=v, n=n: answers.append(v.post(path, password=f"{NEW} {n}", again=f"{NEW} {n}").status)
        )
        for n, v in enumerate(visitors)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 410, 410, 410]


@pytest.mark.parametrize(
    "path", ["/password/short", f"/password/{'A' * 43}", f"/password/{'!' * 43}", f"/password/{'é' * 43}"]
)
def test_what_is_no_link_is_not_there(site, path):
    from urllib.parse import quote

    assert site.visitor().get(quote(path)).status == 404


def test_what_may_not_be_a_password_says_why(site):
    path = made(site, site.member)
    for password, words in (
        ("short", "This has 5 characters: take at least 12"),
        ("passwordpassword", "everybody tries"),
        ("marguerite@firm.test", "little more than your address"),
        ("aaaaaaaaaaaaaaaa", "the same few characters"),
    ):
        answer = put(site.visitor(), path, password)
        assert answer.status == 200
        assert words in answer.text, password
        assert f'value="{password}"' not in answer.text
    assert "The two differ" in put(site.visitor(), path, NEW, NEW + "s").text
    assert put(site.visitor(), path).status == 200


@pytest.mark.parametrize(
    "good", ["correct horse battery staple", "пароль из четырёх слов", "a" * 12 + "bcde", "Tr0ub4dor&3x"]
)
def test_long_ones_are_good(good):
    check(good, "a@b.example")


def test_a_closed_account_has_no_links(site):
    path = made(site, site.member)
    site.operator.database.fill("UPDATE account SET disabled_at = now() WHERE id = %s", site.member.account)
    assert site.visitor().get(path).status == 404
    with pytest.raises(Exception, match="no such account"):
        made(site, site.member)


def ask(site, address):
    visitor = site.visitor()
    visitor.get("/password")
    return visitor.post("/password", email=address)


def test_a_lost_password_comes_by_our_own_mail_and_the_answer_tells_nothing(site, door):
    system = site.system_tenant()
    answers = [ask(site, address).text for address in (site.member.address, "nobody@firm.test", "no address")]
    assert len(set(answers)) == 1
    end = time.monotonic() + 10
    while not door and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.3)
    ((path, key, mail),) = [one for one in door if one[2]["template"]["id"] == "password-link"]
    assert path == "/emails"
    assert key.startswith("Bearer troth_a_")
    assert mail["to"] == [site.member.address]
    assert mail["template"]["id"] == "password-link"
    link = mail["template"]["variables"]["link"]
    assert put(site.visitor(), link.removeprefix(site.url)).status == 200
    assert site.visitor().sign_in(site.member, NEW).url == f"{site.url}/"
    person = site.operator.admin.execute(
        "SELECT status, pathway, blind_index FROM person WHERE tenant_id = %s", (system,)
    ).fetchall()
    assert person == [(2, "system", site.firm.index(site.member.address))]


def test_links_are_asked_for_five_times_at_most(site, door):
    site.system_tenant()
    for _ in range(8):
        assert ask(site, site.member.address).status == 200
    time.sleep(1.5)
    assert len(door) == 5
