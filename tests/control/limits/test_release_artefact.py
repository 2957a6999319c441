"""What a release may say of held mail; nonsense is refused in words, and nothing is proposed."""

from uuid import uuid4

import pytest

from troth.control.approvals import changes
from troth.control.approvals.changes import Proposal
from troth.control.audit.refusals import Invalid


@pytest.mark.parametrize(
    ("artefact", "field"),
    [
        ({"held": "burn"}, "held"),
        ({"messages": [str(uuid4())]}, "messages"),
        ({"held": "release", "messages": []}, "messages"),
        ({"held": "release", "templates": [str(uuid4()) for _ in range(501)]}, "templates"),
        ({"held": "release", "categories": ["rent"]}, "categories"),
        ({"lift": False}, "lift"),
        ({"helds": "release"}, "helds"),
    ],
)
def test_nonsense_is_refused_in_words(operator, firm, artefact, field):
    pause = operator.admin.execute("SELECT (pause_v1(%s, 'stop-new', 'x', 'anomaly'))[1]", ([firm.tenant],)).fetchone()[
        0
    ]
    asked = Proposal("release", str(pause), artefact, "because", firm.tenant, pause)
    with pytest.raises(Invalid) as wrong:
        changes.propose(operator.control, operator.sessions[0], asked)
    assert any(field in (problem.field + problem.hint) for problem in wrong.value.problems), wrong.value.problems
    assert operator.admin.execute("SELECT count(*) FROM change WHERE kind = 'release'").fetchone() == (0,)


def test_each_kind_of_decision_may_be_proposed(operator, firm):
    pause = operator.admin.execute("SELECT (pause_v1(%s, 'stop-new', 'x', 'anomaly'))[1]", ([firm.tenant],)).fetchone()[
        0
    ]
    for artefact in (
        {},
        {"lift": True},
        {"held": "release", "lift": True},
        {"held": "refuse", "messages": [str(uuid4())], "categories": [str(uuid4())], "templates": [str(uuid4())]},
    ):
        changes.propose(
            operator.control,
            operator.sessions[0],
            Proposal("release", str(pause), artefact, "because", firm.tenant, pause),
        )
    assert operator.admin.execute("SELECT count(*) FROM change WHERE kind = 'release'").fetchone()[0] >= 1
