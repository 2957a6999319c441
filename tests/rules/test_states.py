"""The state table: one place, complete, and closed at the end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.rules.mark import MARK_OUTCOME, MarkVerdict
from troth.rules.states import (
    RESEND_NAME,
    TRANSITIONS,
    WORST_FIRST,
    IllegalTransition,
    Kind,
    State,
    apply,
    mermaid,
    resend_event,
    sql_kind_check,
    sql_state_check,
    sql_transitions,
    states_markdown,
    worst,
)

RESEND = {"queued", "scheduled", "sent", "delivered", "delivery_delayed", "bounced", "complained", "canceled", "failed"}


def life(*kinds: Kind) -> State:
    state = None
    for kind in kinds:
        state = apply(state, kind)
    return state


def test_no_step_is_written_twice() -> None:
    steps = [(step.source, step.kind, step.back) for step in TRANSITIONS]
    assert len(steps) == len(set(steps))


def test_every_state_is_reached_without_luck() -> None:
    reached: set[State | None] = {None}
    for _ in State:
        reached |= {step.target for step in TRANSITIONS if step.source in reached and not step.late}
    assert reached == {None, *State}


def test_every_event_is_used_and_every_state_is_explained() -> None:
    assert {step.kind for step in TRANSITIONS} == set(Kind)
    assert all(state.meaning and RESEND_NAME[state] for state in State)
    assert sorted(WORST_FIRST) == sorted(State)
    assert set(RESEND_NAME.values()) <= RESEND | {"suppressed"}


def test_a_final_state_is_left_only_by_late_facts() -> None:
    assert all(step.late for step in TRANSITIONS if step.source is not None and step.source.final)


def test_nothing_final_goes_back_to_work() -> None:
    assert not any(
        step.target.in_spool
        for step in TRANSITIONS
        if step.source and not step.source.in_spool and step.late and step.source != step.target
    )
    assert not any(state.final and state.in_spool for state in State)


@given(st.lists(st.sampled_from(Kind), max_size=12))
def test_any_run_of_events_is_a_path_or_an_error(kinds: list[Kind]) -> None:
    known = {(step.source, step.kind): step.target for step in TRANSITIONS if not step.back}
    state: State | None = None
    for kind in kinds:
        if (state, kind) in known:
            state = apply(state, kind)
            continue
        with pytest.raises(IllegalTransition, match=kind.name.lower()) as refused:
            apply(state, kind)
        assert (refused.value.state, refused.value.kind) == (state, kind)


@pytest.mark.parametrize(
    ("kinds", "end"),
    [
        ((Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.SENDING, Kind.SENT, Kind.DELIVERED), State.DELIVERED),
        ((Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.RETURNED, Kind.CLAIMED, Kind.SENDING), State.SENDING),
        ((Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.SENDING, Kind.RETURNED), State.QUEUED),
        ((Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.SENDING, Kind.DEFERRED, Kind.QUEUED), State.QUEUED),
        ((Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.SENDING, Kind.DEFERRED, Kind.CLAIMED), State.CLAIMED),
        ((Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.SENDING, Kind.UNCERTAIN, Kind.SENT), State.SENT),
        # Redelivered, then the first attempt's answer arrives.
        ((Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.SENDING, Kind.UNCERTAIN, Kind.QUEUED, Kind.SENT), State.SENT),
        (
            (
                Kind.ACCEPTED,
                Kind.QUEUED,
                Kind.CLAIMED,
                Kind.SENDING,
                Kind.UNCERTAIN,
                Kind.HELD,
                Kind.CANCELLED,
                Kind.SENT,
            ),
            State.SENT,
        ),
        (
            (Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.SENDING, Kind.SENT, Kind.DELIVERED, Kind.BOUNCED),
            State.BOUNCED,
        ),
        # The relay's webhook outruns our own record.
        ((Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.SENDING, Kind.DELIVERED, Kind.SENT), State.DELIVERED),
        ((Kind.ACCEPTED, Kind.QUEUED, Kind.CLAIMED, Kind.SENDING, Kind.SENT, Kind.COMPLAINED), State.SENT),
        ((Kind.ACCEPTED, Kind.HELD, Kind.RESCHEDULED, Kind.RELEASED, Kind.RESCHEDULED), State.QUEUED),
        ((Kind.ACCEPTED, Kind.SUPPRESSED), State.SUPPRESSED),
    ],
)
def test_a_life(kinds: tuple[Kind, ...], end: State) -> None:
    assert life(*kinds) is end


def test_what_the_next_hop_gives_back_is_tried_again_only_from_sent() -> None:
    assert apply(State.SENT, Kind.DEFERRED, back=True) is State.DEFERRED
    assert apply(State.SENT, Kind.DEFERRED) is State.SENT
    assert [(step.source, step.kind) for step in TRANSITIONS if step.back] == [(State.SENT, Kind.DEFERRED)]
    for state in State:
        if state is not State.SENT:
            with pytest.raises(IllegalTransition):
                apply(state, Kind.DEFERRED, back=True)


@pytest.mark.parametrize("kind", [Kind.DEFERRED, Kind.BOUNCED, Kind.DELIVERED])
@pytest.mark.parametrize("state", [s for s in State if s not in (State.ACCEPTED, State.CLAIMED, State.SENDING)])
def test_a_report_fits_whatever_state_it_meets(state: State, kind: Kind) -> None:
    """A message's cached state is none of the working ones; uncertain is one too, but people see it."""
    if state is State.UNCERTAIN and kind is Kind.DEFERRED:
        return
    after = apply(state, kind)
    assert after in (state, State.BOUNCED, State.DELIVERED)


@pytest.mark.parametrize("kind", [Kind.CANCELLED, Kind.SUPPRESSED, Kind.EXPIRED, Kind.HELD])
def test_what_is_on_the_wire_cannot_be_called_back(kind: Kind) -> None:
    with pytest.raises(IllegalTransition):
        apply(State.SENDING, kind)
    with pytest.raises(IllegalTransition):
        apply(State.SENT, kind)


def test_only_marked_messages_are_sent_in_time() -> None:
    assert [step.source for step in TRANSITIONS if step.kind is Kind.SENT and not step.late] == [State.SENDING]
    assert [step.source for step in TRANSITIONS if step.kind is Kind.SENDING] == [State.CLAIMED]


def test_every_mark_verdict_is_a_permitted_step() -> None:
    assert set(MARK_OUTCOME) == set(MarkVerdict)
    for verdict, outcome in MARK_OUTCOME.items():
        assert outcome.sentence
        if outcome.kind is None:
            assert verdict in (MarkVerdict.STALE_TOKEN, MarkVerdict.CLOCK_BEHIND)
            continue
        assert apply(State.CLAIMED, outcome.kind) is outcome.target
        assert (outcome.again_in is None) or outcome.target is State.HELD
    assert [v for v, o in MARK_OUTCOME.items() if o.target is State.SENDING] == [MarkVerdict.OK]


def test_the_worst_message_speaks_for_the_email() -> None:
    assert worst([State.DELIVERED, State.SENT]) is State.SENT
    assert worst(iter([State.DELIVERED, State.BOUNCED, State.QUEUED])) is State.BOUNCED
    with pytest.raises(ValueError):
        worst([])


def test_resends_words() -> None:
    assert resend_event(State.QUEUED, scheduled=True) == "scheduled"
    assert resend_event(State.SENT, scheduled=True) == "sent"
    assert resend_event(State.DELIVERED, complained=True) == "complained"
    assert resend_event(State.CANCELLED) == "canceled"


def test_the_database_hears_the_same() -> None:
    assert sql_state_check() == "state IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14)"
    assert sql_state_check("s", spool=True) == "s IN (2, 3, 4, 7, 9, 10)"
    assert sql_kind_check().startswith("kind IN (1, 2, ")
    rows = sql_transitions().split(",\n")
    assert rows[0] == "(NULL, 1, 1)"
    assert len(rows) == len(TRANSITIONS)


def test_the_pages_are_drawn_from_the_table() -> None:
    assert "    claimed --> sending: sending\n" in mermaid()
    assert "queued --> sent" not in mermaid()
    assert "queued --> sent: sent" in mermaid(late=True)
    assert "    bounced --> [*]" in mermaid()
    assert states_markdown().count("\n") == len(State) + len(TRANSITIONS) + 5
