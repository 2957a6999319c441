"""What providers tell is shown with its curve, its newest day and what could not be read; where nothing is read it says how."""

from datetime import date, timedelta

from tests.support import pages

from troth.control.complaints import postmaster


def told(site, days=30):
    run = site.operator.admin.execute
    for n in range(days):
        for subject, metric, number, words, source in (
            ("mail.acme.example", "spam_rate", 0.0001 * (n + 1), "", "gmail"), ("mail.acme.example", "dmarc_rate", 0.999, "", "gmail"),
            ("192.0.2.11", "filter_result", n % 3, ("green", "yellow", "red")[n % 3], "snds"),
            ("192.0.2.11", "complaint_rate", 0.001, "less than that", "snds"), ("192.0.2.11", "blocked", 1, "to 192.0.2.12: user complaints", "snds"),
            ("192.0.2.11", "trap_hits", n, "", "snds"),
        ):  # fmt: skip
            run("INSERT INTO provider_day VALUES (%s, %s, (now_v1() AT TIME ZONE 'UTC')::date - %s, %s, %s, %s, now_v1())",
                (source, subject, n, metric, number, words))  # fmt: skip
    run(
        "INSERT INTO provider_read VALUES ('gmail', now_v1(), now_v1() - interval '1 hour', 'other.example, error_rate: Google answered 403.')"
    )
    run("INSERT INTO provider_read SELECT 'snds', t, t, '' FROM now_v1() AS t")


def test_where_nothing_is_read_it_says_how(site):
    page = site.visitor(site.staff).get("/feedback-loops/providers").text
    assert "postmaster_tools_file" in page
    assert "snds_key_file" in page


def test_what_was_told_is_shown_and_what_could_not_be_read(site):
    told(site)
    page = site.visitor(site.staff).get("/feedback-loops/providers").text
    for words in ("mail.acme.example", "Marked as spam by readers", "0.01 %", "0.30 %", "192.0.2.11", "Blocked today",
                  "to 192.0.2.12: user complaints", "less than that", "Google answered 403."):  # fmt: skip
        assert words in page, words
    assert page.count('class="spark"') == 6


def test_others_do_not_see_it(site):
    assert site.visitor(site.member).get("/feedback-loops/providers").status in (403, 404)
    support = site.visitor(pages.join(site.operator, "S <s@operator.test>", "support"))
    assert support.get("/feedback-loops/providers").status in (403, 404)


def test_a_curve_in_a_box():
    day = date(2026, 11, 1)
    assert postmaster.line([(day, 0.5, "")]) == "M0.0 1.0H120"
    assert postmaster.line([(day, 0.0, "")]) == "M0.0 23.0H120"
    assert postmaster.line([(day, 0.0, ""), (day + timedelta(days=2), 4.0, "")]) == "M0.0 23.0L120.0 1.0"
    assert [postmaster.written(0.5, kind) for kind in ("share", "yes", "count")] == ["50.00 %", "yes", "0"]
