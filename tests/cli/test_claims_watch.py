"""While the platform runs its claims are looked at; what fails is said, and nothing outlives the platform's end."""

import sys
import time

from troth.cli.claims_watch import watching


def program(text):
    return (sys.executable, "-c", text)


def heard(command, until, **times):
    lines = []
    with watching(lines.append, command, first=0.0, **times):
        end = time.monotonic() + 20
        while not until(lines) and time.monotonic() < end:
            time.sleep(0.02)
    return lines


def test_what_fails_is_said_again_and_again():
    fails = program("import sys; print('EML-2  fails  2026'); print('SUP-1  holds  2026'); sys.exit(1)")
    lines = heard(fails, lambda said: len(said) >= 2, every=0.01)
    assert set(lines) == {"claims: EML-2  fails  2026"}


def test_a_check_that_could_not_be_made_is_said():
    assert heard(program("import sys; print('the database is away'); sys.exit(75)"), bool, every=60)[0].endswith(
        "the database is away"
    )


def test_all_that_holds_is_not_worth_a_line_and_an_end_is_not_waited_for(tmp_path):
    sign = tmp_path / "began"
    begun = time.monotonic()
    slow = program(f"import time; open({str(sign)!r}, 'w').close(); time.sleep(60)")
    assert heard(slow, lambda _: sign.exists(), every=60) == []
    assert time.monotonic() - begun < 30
