"""Feedback loops for pages to show: one that tells, one that is silent, one that ended; and a template that is marked."""

from datetime import date, timedelta

from tests.support.firm import now

from troth.keys.ids import uuid7

_ADD = "SELECT feedback_loop_add_v1(%s, %s, %s, %s, %s, %s, 30, %s, %s, %s)"


def loop(site, name, provider, domains, *, sender="fbl@provider.example", covers="", proof=None):
    made = uuid7(now())
    given = (made, name, provider, domains, sender, covers, date(2026, 1, 5), proof, site.operator.sessions[0])
    site.operator.control.execute(_ADD, given)
    return made


def loops(site) -> str:
    """The id of the one that tells."""
    run = site.operator.database.fill
    covers = "All mail of mail.acme.example, by its DKIM domain"
    heard = loop(
        site,
        "yahoo-cfl",
        "Yahoo, Complaint Feedback Loop",
        ["yahoo.com", "fbl.yahoo.example"],
        covers=covers,
        proof=bytes(32),
    )
    silent = loop(site, "jmrp", "Microsoft, Junk Mail Reporting Program", ["hotmail.com"], sender="staff@hotmail.com")
    ended = loop(site, "validity", "Validity, universal loop", ["feedback.example"])
    loop(site, "abusix", "Abusix", ["abusix.org"])
    for each, kind, n, days in ((heard, "abuse", 14, 1), (heard, "not-spam", 3, 2), (silent, "abuse", 4, 70)):
        at = now() - timedelta(days=days)
        run("INSERT INTO feedback_loop_day VALUES (%s, %s, %s, %s, %s, %s)", each, at.date(), kind, n, n // 2, at)
    run("UPDATE feedback_loop SET added_at = added_at - interval '90 days'")
    run(
        "UPDATE feedback_loop SET ended_at = now(), ended_by = added_by, ended_why = 'They closed it in March.' WHERE id = %s",
        ended,
    )
    return str(heard)


def marked(site) -> str:
    """The mark's id, on the firm's template."""
    run, template = site.operator.database.fill, site.firm.template
    run(
        "INSERT INTO complaint (id, message_id, source_key, tenant_id, category_id, template_subject, template_snapshot, case_id,"
        " via, kind, came_at, at) SELECT gen_random_uuid(), gen_random_uuid(), 'fbl:x', tenant_id, subject, subject, id,"
        " gen_random_uuid(), 'fbl', 'abuse', now(), now() FROM snapshot WHERE kind = 'template' AND subject = %s", template,
    )  # fmt: skip
    run(
        "INSERT INTO template_flag (id, tenant_id, subject, snapshot_id, version, why, complaint_id, since)"
        " SELECT gen_random_uuid(), s.tenant_id, s.subject, s.id, s.version, 'complaint', c.id, c.at"
        " FROM snapshot s, complaint c WHERE s.subject = %s AND c.template_snapshot = s.id", template,
    )  # fmt: skip
    return str(site.operator.admin.execute("SELECT id FROM template_flag").fetchone()[0])
