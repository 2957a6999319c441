"""Every page x every role x own client, other client, no client, with and without a second factor and a recent proof:
the real WSGI stack answers as the table of rights says.
"""

import pytest
from tests.control.matrix import judging, world
from tests.control.matrix.judging import IN, Judge, Shown
from tests.control.matrix.routes import BY_NAME, PAGES

ASKED = ("GET", "POST")
LEAST = 1000
_ADD = """
Nobody has said who may see these pages. Add to PAGES in tests/control/matrix/routes.py, with one of a client's own
things for each "@..." (such as "@template"; tests/control/matrix/world.py makes them):
{}
A right that is new goes into permissions.toml and, letter by letter, into tests/control/matrix/expected.txt."""
_LINE = '    Page("{0}", {{{1}}}, get={2!r}, post={3!r}, methods=GET or POST or BOTH{4}),'


def test_every_page_has_a_line_and_needs_what_the_line_says(cast):
    routes = cast.child.do(do="routes")["routes"]
    wanting = [_wanting(route) for route in routes if route["name"] not in BY_NAME]
    assert not wanting, _ADD.format("\n".join(wanting))
    assert [page.name for page in PAGES if page.name not in {route["name"] for route in routes}] == []
    for route in routes:
        page = BY_NAME[route["name"]]
        assert route["kind"] == page.kind, f"{page.name}: the middleware says {route['kind']!r}, its line {page.kind!r}"
        if not page.kind:
            assert route["mark"] is not None, f"{page.name} has no mark @needs: it is nobody's"
            mark = [page.action("GET"), page.action("POST"), page.fresh]
            assert route["mark"] == mark, f"{page.name}: its view needs {route['mark']}, its line says {mark}"


def _wanting(route):
    get, post, fresh = route["mark"] or ("", "", False)
    parts = ", ".join(f'"{part.split(">")[0].split(":")[-1]}": "@..."' for part in route["route"].split("<")[1:])
    kind = f', kind="{route["kind"]}"' if route["kind"] else ""
    return _LINE.format(route["name"], parts, get, post, f"{', fresh=True' if fresh else ''}{kind}")


class Round:
    """Asks, compares, counts."""

    def __init__(self, cast):
        self.cast, self.judge, self.wrong, self.cells, self.missing = cast, Judge(), [], 0, {}
        self.paths: dict[tuple[str, str], str] = {}

    def path(self, page, things, where):
        """The page's address with these things in it."""
        if (page.name, where) not in self.paths:
            args = {k: things[v[1:]] if str(v).startswith(("@", "=")) else v for k, v in page.args.items()}
            self.paths[page.name, where] = self.cast.child.do(do="path", name=page.name, args=args)["path"]
        return self.paths[page.name, where]

    def ask(self, page, method, who, path):
        cookies = who.cookies if who else {}
        return self.cast.child.do(do="ask", cookies=cookies, method=method, path=path, body=page.body)

    def gone(self, page, method, who):
        """The digest of what this person reads where there is nothing."""
        key = (str(who), method)
        if key not in self.missing:
            cookies = who.cookies if who else {}
            path = "/there/is/no/such/page"
            answer = self.cast.child.do(do="ask", cookies=cookies, method=method, path=path, body={})
            assert answer["status"] == 404, answer
            self.missing[key] = answer["digest"]
        return self.missing[key]

    def own(self, page, method, who, shown):
        """A thing of the client that is looked at; of the first, where none is."""
        letter = (who.at or "house") if who else "a"
        path = self.path(page, self.cast.things[letter], letter)
        wanted = self.judge.expected(page, method, who, shown)
        answer = self.ask(page, method, who, path)
        if page.kind and answer["status"] not in {405, *range(500, 600)}:
            wanted = judging.read(answer, self.gone(page, method, who))  # a way in leads where it likes
        self._count(page, method, who, answer, judging.read(answer, self.gone(page, method, who)) == wanted, wanted)

    def others(self, page, method, who):
        """Another client's thing is as one that nobody has: the same answer to the letter."""
        other = "b" if who.at == "a" else "a"
        theirs = self.ask(page, method, who, self.path(page, self.cast.things[other], other))
        nobodys = self.ask(page, method, who, self.path(page, self.cast.missing, "missing"))
        same = all(theirs[each] == nobodys[each] for each in ("status", "digest"))
        kept = theirs["status"] == 404 and theirs["digest"] == self.gone(page, method, who) if method == "GET" else True
        self._count(page, method, who, theirs, same and kept, f"the same as a stranger's ({nobodys['status']})")

    def _count(self, page, method, who, answer, right, wanted):
        self.cells += 1
        if not right:
            there = judging.read(answer, self.gone(page, method, who))
            self.wrong.append(
                f"{method} {page.name}, {who or 'nobody'}: {there} ({answer['status']} {answer['location']}), not {wanted}:"
                f" {' '.join(answer['start'].split())[:60] if answer['status'] >= 500 else ''}"
            )


@pytest.mark.slow
@pytest.mark.timeout(900)  # about a minute by itself; a machine may have others at work
def test_the_matrix(cast, capsys):
    round_, roles = Round(cast), {who.role for who in cast.personas} | {world.NOBODY}
    cast.second(shown=True)
    cast.proved(minutes=0)
    for page in PAGES:
        for method in ASKED:
            round_.own(page, method, None, Shown())
            for who in [] if page.kind else cast.personas:
                if round_.judge.plain(page, method, who):
                    continue
                round_.own(page, method, who, Shown())
                led = page.leads == "client" and who.scope == "clients"
                if page.things and who.at and not led and round_.judge.expected(page, method, who, Shown()) == IN:
                    round_.others(page, method, who)
    _less_shown(cast, round_)
    with capsys.disabled():
        scopes = 3  # own client, another client, no client
        print(f"\nmatrix: {len(PAGES)} routes x {len(roles)} roles x {scopes} scopes ="
              f" {round_.cells} cells checked, {len(round_.wrong)} wrong")  # fmt: skip
    assert not round_.wrong, "\n".join(round_.wrong[:100])
    assert round_.cells >= LEAST


def _less_shown(cast, round_):
    """The same people without their second factor, then with a proof of half an hour ago: only what that changes."""
    for shown in (Shown(second=False), Shown(fresh=False)):
        cast.second(shown=shown.second)
        cast.proved(minutes=0 if shown.fresh else 30)
        for page in PAGES:
            for method in ASKED:
                for who in cast.personas:
                    least = round_.judge.expected(page, method, who, shown)
                    if least != round_.judge.expected(page, method, who, Shown()) and who.at != "c":
                        round_.own(page, method, who, shown)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "BREW"])
def test_no_page_takes_another_method(cast, method):
    """What is neither read nor sent as a form is refused to whoever may do most; a read is never what changes things."""
    cast.second(shown=True)
    cast.proved(minutes=0)
    owner = next(who for who in cast.personas if (who.role, who.at) == ("owner", "a"))
    round_ = Round(cast)
    for page in PAGES:
        answer = round_.ask(page, method, owner, round_.path(page, cast.things["a"], "a"))
        assert answer["status"] in {404, 405} or page.kind or method == "OPTIONS", (page.name, answer)
        assert answer["status"] < 500 or page.leads == "door", (page.name, answer)
