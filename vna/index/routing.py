"""Rules of routing: their rows, and how they follow the change feed.

Each rule knows the number of the last change that it was asked about. Those that stand at the same
number are asked together; a step is read outside of any write transaction, and written only for
rules that nobody has moved or edited meanwhile. A rule that cannot work stays where it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import delete, select, update

from vna.index import outgoing
from vna.index.engine import Session
from vna.index.feed import last
from vna.index.insertion import replacing
from vna.index.routing_match import Candidate, Condition, candidates, matches
from vna.index.tables import change, routing_rule
from vna.model.caller import Caller, Right
from vna.model.outgoing import NewOutgoing
from vna.model.routing import KeptRule, Occasion, Rule

CHANGES = 500  # asked about in one step
ARRIVALS = ("instance new", "instance version")
SETTLED = "study settled"
ERROR_LENGTH = 500  # characters kept of why a rule waits

_C = routing_rule.c


def all_rules(session: Session, partition: int | None = None) -> list[KeptRule]:
    """Every rule (of a partition), the most urgent first."""
    newest = last(session)
    wanted = select(routing_rule).order_by(_C.priority.desc(), _C.name, _C.pk)
    if partition is not None:
        wanted = wanted.where(_C.partition == partition)
    return [_kept(row, newest) for row in session.execute(wanted)]


def put(session: Session, partition: int, rule: Rule) -> None:
    """Add a rule, which begins with the next change, or change one, which goes on where it is."""
    key = {"partition": partition, "name": rule.name}
    values = {
        "occasion": rule.on.value,
        "destination": rule.to,
        "conditions": orjson.dumps({name: list(of) for name, of in rule.conditions.items()}),
        "priority": rule.priority,
        "error": "",
    }
    insert = replacing(
        session, routing_rule, list(key), {"revision": _C.revision + 1}, list(values)
    )
    new = {"enabled": 0, "revision": 1, "position": 0}
    session.execute(insert, {**key, **values, **new})
    enable(session, partition, rule.name, rule.enabled)


def enable(session: Session, partition: int, name: str, enabled: bool) -> bool:
    """Let a rule work from the next change on, or no more; whether there is such a rule."""
    named = (_C.partition == partition, _C.name == name)
    if enabled:
        begun = {"enabled": 1, "position": last(session), "revision": _C.revision + 1, "error": ""}
        session.execute(update(routing_rule).where(*named, _C.enabled == 0).values(**begun))
    else:
        ended = {"enabled": 0, "revision": _C.revision + 1, "error": ""}
        session.execute(update(routing_rule).where(*named).values(**ended))
    return session.execute(select(_C.pk).where(*named)).first() is not None


def remove(session: Session, partition: int, name: str) -> bool:
    """Forget a rule; whether there was one. What it has queued is still sent."""
    named = (_C.partition == partition, _C.name == name)
    return session.execute(delete(routing_rule).where(*named)).rowcount > 0


def mark(session: Session, rules: Iterable[KeptRule], error: str) -> None:
    """Say why rules wait, unless they were edited meanwhile."""
    for each in rules:
        session.execute(
            update(routing_rule)
            .where(_C.pk == each.id, _C.revision == each.revision)
            .values(error=error[:ERROR_LENGTH])
        )


@dataclass(frozen=True)
class Step:
    """Changes that rules were asked about; nothing of it is written yet. `found`: by rule."""

    rules: Sequence[KeptRule]
    to: int
    found: Mapping[int, Sequence[NewOutgoing]]


def read(
    session: Session, rules: Sequence[KeptRule], conditions: Mapping[int, Sequence[Condition]]
) -> Step | None:
    """Ask rules that stand at the same number about the next changes; None where there are none.

    `conditions`: of each, by its id. It may take long: let it be a read.
    """
    partition, position = rules[0].partition, rules[0].position
    on_arrival = [each for each in rules if each.rule.on is Occasion.ARRIVAL]
    on_settled = [each for each in rules if each.rule.on is Occasion.SETTLED]
    changes = _changes(session, position, one_study=bool(on_settled))
    if not changes:
        return None
    caller = Caller("routing", "local", None, frozenset((Right.READ,)), partition)
    found: dict[int, list[NewOutgoing]] = {each.id: [] for each in rules}
    arrived = {each.sop_uid for each in changes if each.kind in ARRIVALS} if on_arrival else set()
    studies = {each.study_uid for each in changes if each.kind == SETTLED} if on_settled else set()
    for asked, scope in (
        (on_arrival, {"sop_uids": arrived}),
        *((on_settled, {"study_uid": uid}) for uid in sorted(studies)),
    ):
        wanted = [one for each in asked for one in conditions[each.id]]
        for candidate in candidates(session, caller, wanted, **scope):
            for each in asked:
                if routed(candidate, each.rule, conditions[each.id]):
                    found[each.id].append(_new(candidate, each))
    return Step(rules, changes[-1].seq, found)


def routed(candidate: Candidate, rule: Rule, conditions: Sequence[Condition]) -> bool:
    """Whether a rule passes an instance on. Nothing goes back to the AE that it came from."""
    back = candidate.source_ae and rule.to == f"ae:{candidate.source_ae}"
    return not back and matches(candidate, conditions)


def write(session: Session, step: Step) -> None:
    """Queue what was found and move the rules on, except those that somebody else moved, edited,
    disabled or removed meanwhile."""
    ids = sorted(each.id for each in step.rules)
    rows = session.execute(
        select(_C.pk, _C.position, _C.revision).where(_C.pk.in_(ids)).order_by(_C.pk)
        .with_for_update()
    )  # fmt: skip
    stand = {(row.pk, row.position, row.revision) for row in rows}
    rules = [each for each in step.rules if (each.id, each.position, each.revision) in stand]
    outgoing.enqueue(session, [new for each in rules for new in step.found[each.id]])
    session.execute(
        update(routing_rule)
        .where(_C.pk.in_([each.id for each in rules]))
        .values(position=step.to, error="")
    )


def _changes(session: Session, position: int, *, one_study: bool) -> list[Any]:
    """The next changes; with `one_study` up to the first that settles a study, so that a step is
    no larger than a study."""
    later = select(change.c.seq, change.c.kind, change.c.study_uid, change.c.sop_uid).where(
        change.c.seq > position
    )
    found = list(session.execute(later.order_by(change.c.seq).limit(CHANGES)))
    if one_study:
        first = next((n for n, each in enumerate(found, 1) if each.kind == SETTLED), len(found))
        return found[:first]
    return found


def _new(candidate: Candidate, each: KeptRule) -> NewOutgoing:
    return NewOutgoing(
        partition=each.partition,
        destination=each.rule.to,
        study_uid=candidate.study_uid,
        series_uid=candidate.series_uid,
        sop_uid=candidate.sop_uid,
        version=candidate.version,
        rule=each.rule.name,
        priority=each.rule.priority,
    )


def _kept(row: Any, newest: int) -> KeptRule:
    where = {name: tuple(values) for name, values in orjson.loads(row.conditions).items()}
    rule = Rule(
        name=row.name,
        to=row.destination,
        on=Occasion(row.occasion),
        where=where,
        enabled=bool(row.enabled),
        priority=row.priority,
    )
    behind = newest - row.position if row.enabled else 0
    return KeptRule(row.pk, row.partition, rule, row.revision, row.position, behind, row.error)
