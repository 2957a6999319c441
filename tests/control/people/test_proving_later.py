"""A proof given a while after the last page: the request that gives it does not wait for itself."""

from tests.support.pages import PASSWORD

_EARLIER = "UPDATE session SET seen_at = now_v1() - interval '1 minute', proved_at = now_v1() - interval '1 hour'"


def test_a_proof_a_minute_after_the_page_was_opened(site):
    member = site.visitor(site.member)
    member.get("/prove")
    site.operator.database.fill(_EARLIER)
    answer = member.post("/prove", password=PASSWORD)
    assert answer.url == f"{site.url}/"
    proved = (
        "SELECT proved_at > now_v1() - interval '1 minute', seen_at > now_v1() - interval '30 seconds' FROM session"
    )
    query = f"{proved} WHERE account_id = %s AND kind = 'page'"
    assert site.operator.admin.execute(query, (site.member.account,)).fetchall() == [(True, True)]
