"""The state table is the standard's, as pynetdicom has written it down too."""

from __future__ import annotations

from pynetdicom.fsm import ACTIONS, TRANSITION_TABLE

from dimse.states import TABLE, Action, Event, State, collided

EVENTS = list(Event)  # Evt1 to Evt19, in the standard's order


def test_every_cell_that_the_standard_fills_is_there_and_no_other() -> None:
    theirs = {
        (State(int(state[3:])), EVENTS[int(event[3:]) - 1]): action
        for (event, state), action in TRANSITION_TABLE.items()
    }
    missing = theirs.keys() - TABLE.keys()
    assert not missing
    for cell, (action, _) in TABLE.items():
        assert cell in theirs, cell
        assert action.name.replace("_", "-") == theirs[cell], cell


def test_the_states_that_follow_are_those_of_the_standard() -> None:
    for (state, event), (action, following) in TABLE.items():
        said = ACTIONS[action.name.replace("_", "-")][2]
        said = said if isinstance(said, tuple) else (said,)
        assert f"Sta{following.value}" in said, (state, event)


def test_a_collision_of_releases_depends_on_who_requested_the_association() -> None:
    assert collided(True) is State.COLLISION_REQUESTOR_LOCAL
    assert collided(False) is State.COLLISION_ACCEPTOR_WAITS
    assert Action.AR_8 is TABLE[State.AWAITING_RELEASE, Event.GOT_RELEASE][0]
