"""The state table of the upper layer (PS3.8 §9.2, tables 9-1 to 9-10), as data.

`TABLE[state, event]` is (action, next state); what the standard leaves empty is not in it and
cannot happen. An action whose next state depends on what it decides names the state of acceptance;
whoever carries it out says so where it turned out otherwise.
"""

from __future__ import annotations

from enum import Enum, IntEnum


class State(IntEnum):
    """Sta1 to Sta13."""

    IDLE = 1
    AWAITING_REQUEST = 2  # connection open, waiting for A-ASSOCIATE-RQ
    AWAITING_LOCAL_ANSWER = 3
    AWAITING_CONNECTION = 4
    AWAITING_ANSWER = 5  # A-ASSOCIATE-RQ sent
    ESTABLISHED = 6
    AWAITING_RELEASE = 7  # A-RELEASE-RQ sent
    AWAITING_LOCAL_RELEASE = 8  # A-RELEASE-RQ received
    COLLISION_REQUESTOR_LOCAL = 9
    COLLISION_ACCEPTOR_WAITS = 10
    COLLISION_REQUESTOR_WAITS = 11
    COLLISION_ACCEPTOR_LOCAL = 12
    AWAITING_CLOSE = 13


class Event(Enum):
    """Evt1 to Evt19."""

    REQUEST = "A-ASSOCIATE request"
    CONNECTED = "transport connection made"
    GOT_ACCEPT = "A-ASSOCIATE-AC"
    GOT_REJECT = "A-ASSOCIATE-RJ"
    INCOMING = "transport connection received"
    GOT_REQUEST = "A-ASSOCIATE-RQ"
    ACCEPT = "A-ASSOCIATE response, accept"
    REJECT = "A-ASSOCIATE response, reject"
    SEND = "P-DATA request"
    GOT_DATA = "P-DATA-TF"
    RELEASE = "A-RELEASE request"
    GOT_RELEASE = "A-RELEASE-RQ"
    GOT_RELEASE_REPLY = "A-RELEASE-RP"
    RELEASE_REPLY = "A-RELEASE response"
    ABORT = "A-ABORT request"
    GOT_ABORT = "A-ABORT"
    CLOSED = "transport connection closed"
    TIMEOUT = "ARTIM timer expired"
    GOT_INVALID = "unrecognized or invalid PDU"


class Action(Enum):
    """What is done (tables 9-6 to 9-9)."""

    AE_1 = "open a transport connection"
    AE_2 = "send A-ASSOCIATE-RQ"
    AE_3 = "tell of the acceptance"
    AE_4 = "tell of the rejection, close"
    AE_5 = "start ARTIM"
    AE_6 = "stop ARTIM, judge the request"
    AE_7 = "send A-ASSOCIATE-AC"
    AE_8 = "send A-ASSOCIATE-RJ, start ARTIM"
    DT_1 = "send P-DATA-TF"
    DT_2 = "give the data"
    AR_1 = "send A-RELEASE-RQ"
    AR_2 = "tell of the release request"
    AR_3 = "tell of the release, close"
    AR_4 = "send A-RELEASE-RP, start ARTIM"
    AR_5 = "stop ARTIM"
    AR_6 = "give the data while releasing"
    AR_7 = "send P-DATA-TF while releasing"
    AR_8 = "tell of the release collision"
    AR_9 = "send A-RELEASE-RP"
    AR_10 = "tell of the release confirmed"
    AA_1 = "send A-ABORT (user), start ARTIM"
    AA_2 = "stop ARTIM, close"
    AA_3 = "tell of the abort, close"
    AA_4 = "tell of the lost connection"
    AA_5 = "stop ARTIM, nothing else"
    AA_6 = "ignore"
    AA_7 = "send A-ABORT (unexpected PDU)"
    AA_8 = "send A-ABORT (provider), tell, start ARTIM"


S, E, A = State, Event, Action
_OPEN = (
    S.AWAITING_LOCAL_ANSWER, S.AWAITING_ANSWER, S.ESTABLISHED, S.AWAITING_RELEASE,
    S.AWAITING_LOCAL_RELEASE, S.COLLISION_REQUESTOR_LOCAL, S.COLLISION_ACCEPTOR_WAITS,
    S.COLLISION_REQUESTOR_WAITS, S.COLLISION_ACCEPTOR_LOCAL,
)  # fmt: skip
_RECEIVED = (
    E.GOT_ACCEPT, E.GOT_REJECT, E.GOT_REQUEST, E.GOT_DATA, E.GOT_RELEASE, E.GOT_RELEASE_REPLY,
    E.GOT_INVALID,
)  # fmt: skip

# What an open association does with a PDU that does not belong there, and with its end.
TABLE: dict[tuple[State, Event], tuple[Action, State]] = {
    **{(state, event): (A.AA_8, S.AWAITING_CLOSE) for state in _OPEN for event in _RECEIVED},
    **{(state, E.GOT_ABORT): (A.AA_3, S.IDLE) for state in _OPEN},
    **{(state, E.CLOSED): (A.AA_4, S.IDLE) for state in _OPEN},
    **{(state, E.ABORT): (A.AA_1, S.AWAITING_CLOSE) for state in _OPEN},
    # Sta2: nothing but a request may come first.
    **{(S.AWAITING_REQUEST, event): (A.AA_1, S.AWAITING_CLOSE) for event in _RECEIVED},
    (S.AWAITING_REQUEST, E.GOT_ABORT): (A.AA_2, S.IDLE),
    (S.AWAITING_REQUEST, E.CLOSED): (A.AA_5, S.IDLE),
    (S.AWAITING_REQUEST, E.TIMEOUT): (A.AA_2, S.IDLE),
    # Sta13: whatever comes is not looked at any more.
    **{(S.AWAITING_CLOSE, event): (A.AA_6, S.AWAITING_CLOSE) for event in _RECEIVED},
    (S.AWAITING_CLOSE, E.GOT_REQUEST): (A.AA_7, S.AWAITING_CLOSE),
    (S.AWAITING_CLOSE, E.GOT_INVALID): (A.AA_7, S.AWAITING_CLOSE),
    (S.AWAITING_CLOSE, E.GOT_ABORT): (A.AA_2, S.IDLE),
    (S.AWAITING_CLOSE, E.CLOSED): (A.AR_5, S.IDLE),
    (S.AWAITING_CLOSE, E.TIMEOUT): (A.AA_2, S.IDLE),
    # Association establishment, table 9-6.
    (S.IDLE, E.REQUEST): (A.AE_1, S.AWAITING_CONNECTION),
    (S.AWAITING_CONNECTION, E.CONNECTED): (A.AE_2, S.AWAITING_ANSWER),
    (S.AWAITING_CONNECTION, E.ABORT): (A.AA_2, S.IDLE),
    (S.AWAITING_CONNECTION, E.CLOSED): (A.AA_4, S.IDLE),
    (S.AWAITING_ANSWER, E.GOT_ACCEPT): (A.AE_3, S.ESTABLISHED),
    (S.AWAITING_ANSWER, E.GOT_REJECT): (A.AE_4, S.IDLE),
    (S.IDLE, E.INCOMING): (A.AE_5, S.AWAITING_REQUEST),
    (S.AWAITING_REQUEST, E.GOT_REQUEST): (A.AE_6, S.AWAITING_LOCAL_ANSWER),
    (S.AWAITING_LOCAL_ANSWER, E.ACCEPT): (A.AE_7, S.ESTABLISHED),
    (S.AWAITING_LOCAL_ANSWER, E.REJECT): (A.AE_8, S.AWAITING_CLOSE),
    # Data transfer, table 9-7.
    (S.ESTABLISHED, E.SEND): (A.DT_1, S.ESTABLISHED),
    (S.ESTABLISHED, E.GOT_DATA): (A.DT_2, S.ESTABLISHED),
    # Release, table 9-8.
    (S.ESTABLISHED, E.RELEASE): (A.AR_1, S.AWAITING_RELEASE),
    (S.AWAITING_RELEASE, E.GOT_DATA): (A.AR_6, S.AWAITING_RELEASE),
    (S.AWAITING_RELEASE, E.GOT_RELEASE_REPLY): (A.AR_3, S.IDLE),
    (S.ESTABLISHED, E.GOT_RELEASE): (A.AR_2, S.AWAITING_LOCAL_RELEASE),
    (S.AWAITING_LOCAL_RELEASE, E.SEND): (A.AR_7, S.AWAITING_LOCAL_RELEASE),
    (S.AWAITING_LOCAL_RELEASE, E.RELEASE_REPLY): (A.AR_4, S.AWAITING_CLOSE),
    # Release collision: both asked at once.
    (S.AWAITING_RELEASE, E.GOT_RELEASE): (A.AR_8, S.COLLISION_REQUESTOR_LOCAL),
    (S.COLLISION_REQUESTOR_LOCAL, E.RELEASE_REPLY): (A.AR_9, S.COLLISION_REQUESTOR_WAITS),
    (S.COLLISION_REQUESTOR_WAITS, E.GOT_RELEASE_REPLY): (A.AR_3, S.IDLE),
    (S.COLLISION_ACCEPTOR_WAITS, E.GOT_RELEASE_REPLY): (A.AR_10, S.COLLISION_ACCEPTOR_LOCAL),
    (S.COLLISION_ACCEPTOR_LOCAL, E.RELEASE_REPLY): (A.AR_4, S.AWAITING_CLOSE),
}  # fmt: skip


def collided(requestor: bool) -> State:
    """The state after AR-8: it depends on who requested the association."""
    return S.COLLISION_REQUESTOR_LOCAL if requestor else S.COLLISION_ACCEPTOR_WAITS
