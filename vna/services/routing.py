"""Passing on what arrives: rules that follow the change feed and queue what they match.

Storing knows nothing of rules, so that none can refuse or lose an object. A rule that cannot work
says why and stays where it is; once that is mended it goes on from there.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from vna.errors import InvalidValue, NotFound, Unavailable, VnaError
from vna.index import audit, jobs, peers, routing
from vna.index.engine import Index, Session
from vna.index.jobs import Job
from vna.index.routing_match import Condition, candidates, conditions_of
from vna.model.caller import Caller, Right
from vna.model.routing import KeptRule, Rule, Trial
from vna.services.rights import require
from vna.services.titles import AE, target

ROUTE = "route"  # the one job that follows the feed, as long as there is a rule
FOLLOW_MILLISECONDS = 2_000
RUN_SECONDS = 5.0  # of one run of the job; then other jobs have their turn


class Routing:
    """Rules that pass things on. All of it is for administrators, and audited."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def all(self, caller: Caller) -> list[KeptRule]:
        """Every rule, the most urgent first. Raises `Forbidden`."""
        require(caller, Right.ADMINISTER)
        with self._index.reading() as session:
            return routing.all_rules(session, caller.partition)

    def get(self, caller: Caller, name: str) -> KeptRule:
        """One rule. Raises `NotFound`, `Forbidden`."""
        found = [each for each in self.all(caller) if each.rule.name == name]
        if not found:
            raise NotFound(f"no rule is named {name[:80]!r}; vna route list shows those that are")
        return found[0]

    def put(self, caller: Caller, rule: Rule) -> KeptRule:
        """Add a rule, which works from the next change on, or change one, which goes on where it
        was. An AE that is not known yet is no error: the rule waits for it.

        Raises `InvalidValue`, `UnknownName` naming the nearest attribute, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        kept = _checked(rule)

        def work(session: Session) -> None:
            routing.put(session, caller.partition, kept)
            detail = {"to": kept.to, "on": kept.on.value}
            audit.record(session, caller, "routing rule", kept.name, detail)
            error = _missing(session, caller.partition, kept)
            standing = routing.all_rules(session, caller.partition)
            routing.mark(session, [each for each in standing if each.rule.name == kept.name], error)
            jobs.put(session, ROUTE, [""], after=0)

        self._index.transact(work)
        return self.get(caller, kept.name)

    def enable(self, caller: Caller, name: str) -> KeptRule:
        """Let a rule work, from the next change on. Raises `NotFound`, `Forbidden`."""
        return self._set(caller, name, True)

    def disable(self, caller: Caller, name: str) -> KeptRule:
        """Let a rule rest. Raises `NotFound`, `Forbidden`."""
        return self._set(caller, name, False)

    def remove(self, caller: Caller, name: str) -> None:
        """Forget a rule; what it has queued is still sent. Raises `NotFound`, `Forbidden`."""
        self.get(caller, name)

        def work(session: Session) -> None:
            routing.remove(session, caller.partition, name)
            audit.record(session, caller, "routing rule removed", name)

        self._index.transact(work)

    def try_(self, caller: Caller, rule: Rule, study_uid: str) -> Trial:
        """What a rule, kept or not, would pass on of a study now; nothing is sent.

        Raises `NotFound` for a study that is not shown, `InvalidValue`, `UnknownName`, `Forbidden`.
        """
        require(caller, Right.ADMINISTER)
        asked = _checked(rule)
        conditions = conditions_of(asked.conditions)
        with self._index.reading() as session:
            found = list(candidates(session, caller, conditions, study_uid=study_uid))
            error = _missing(session, caller.partition, asked)
        if not found:
            raise NotFound(f"no study {study_uid[:64]} is shown here")
        matched = [each for each in found if routing.routed(each, asked, conditions)]
        if not asked.enabled:
            error = "the rule is disabled"
        return Trial(tuple(each.sop_uid for each in matched), len(found), error)

    def wake(self) -> None:
        """Have the job run, whatever became of it; a chore."""
        self._index.transact(lambda session: jobs.put(session, ROUTE, [""], after=0))

    def __call__(self, job: Job) -> None:
        """The job: ask every rule about some changes, then again in a while; done when there is no
        rule."""
        with self._index.reading() as session:
            rules = [each for each in routing.all_rules(session) if each.rule.enabled]
        if not rules:
            return
        end = time.monotonic() + RUN_SECONDS
        waiting = self._turn(rules)
        while waiting and time.monotonic() < end:
            with self._index.reading() as session:
                rules = [each for each in routing.all_rules(session) if each.rule.enabled]
            waiting = self._turn(rules)
        after = 0 if waiting else FOLLOW_MILLISECONDS
        self._index.transact(lambda session: jobs.put(session, ROUTE, [""], after=after))

    def _turn(self, rules: Sequence[KeptRule]) -> bool:
        """Ask each rule about the next changes; whether there were any."""
        together: dict[tuple[int, int], list[KeptRule]] = defaultdict(list)
        conditions: dict[int, Sequence[Condition]] = {}
        for each in rules:
            try:
                conditions[each.id] = self._ready(each)
            except Unavailable:
                raise
            except VnaError as error:
                self._mark(each, str(error))
            else:
                together[each.partition, each.position].append(each)
        return sum(self._step(some, conditions) for some in together.values()) > 0

    def _ready(self, each: KeptRule) -> Sequence[Condition]:
        """The conditions of a rule that can work. Raises what stands against it."""
        with self._index.reading() as session:
            missing = _missing(session, each.partition, each.rule)
        if missing:
            raise NotFound(missing)
        return conditions_of(each.rule.conditions)

    def _step(self, rules: Sequence[KeptRule], conditions: dict[int, Sequence[Condition]]) -> bool:
        try:
            with self._index.reading() as session:
                step = routing.read(session, rules, conditions)
        except Unavailable:
            raise
        except VnaError as error:  # what is stored cannot be asked; the other rules go on
            for each in rules:
                self._mark(each, str(error))
            return False
        if step is None:
            for each in rules:
                self._mark(each, "")
            return False
        self._index.transact(lambda session: routing.write(session, step))
        return True

    def _mark(self, each: KeptRule, error: str) -> None:
        if each.error != error[: routing.ERROR_LENGTH]:
            self._index.transact(lambda session: routing.mark(session, [each], error))

    def _set(self, caller: Caller, name: str, enabled: bool) -> KeptRule:
        self.get(caller, name)

        def work(session: Session) -> None:
            routing.enable(session, caller.partition, name, enabled)
            action = f"routing rule {'enabled' if enabled else 'disabled'}"
            audit.record(session, caller, action, name)
            jobs.put(session, ROUTE, [""], after=0)

        self._index.transact(work)
        return self.get(caller, name)


def _checked(rule: Rule) -> Rule:
    name = rule.name.strip()
    if not name or len(name) > 64 or not name.isprintable() or "/" in name:
        raise InvalidValue("name", rule.name, "have 1 to 64 printable characters and no slash")
    conditions_of(rule.conditions)
    return replace(rule, name=name, to=target(rule.to))


def _missing(session: Session, partition: int, rule: Rule) -> str:
    """Why nothing can be sent to where a rule says, '' where it can."""
    if not rule.to.startswith(AE):
        return ""
    title = rule.to.removeprefix(AE)
    found = {each.title: each for each in peers.find(session, partition)}.get(title)
    if found is None:
        return f"AE title {title!r} is not known; make it known with: vna ae add {title}@HOST:PORT"
    if not found.can_be_called:
        return f"AE title {title!r} has no address; give it one with: vna ae add {title}@HOST:PORT"
    return ""
