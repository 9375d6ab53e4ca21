"""/api/v1/routing-rules: what is passed on, where to, and when."""

from __future__ import annotations

from dataclasses import dataclass

from vna.api.endpoint import Call, Endpoint
from vna.model.routing import KeptRule, Occasion, Rule, Trial
from vna.services.routing import Routing


@dataclass(frozen=True, slots=True)
class RuleRequest:
    """Pass on to `to` ("ae:TITLE" or a DICOMweb URL) what satisfies every condition of `where`:
    attribute, SourceAE or Organisation, with the values of which one has to match. The higher
    `priority` is sent first."""

    to: str
    on: Occasion = Occasion.SETTLED
    where: dict[str, list[str]] | None = None
    enabled: bool = True
    priority: int = 0


@dataclass(frozen=True, slots=True)
class RuleView:
    """A rule. `behind`: changes that it was not asked about yet. `error`: why it waits, "" while
    it works."""

    name: str
    to: str
    on: Occasion
    where: dict[str, list[str]]
    enabled: bool
    priority: int
    behind: int
    error: str


@dataclass(frozen=True, slots=True)
class RuleList:
    """The most urgent first."""

    rules: list[RuleView]


@dataclass(frozen=True, slots=True)
class TrialQuery:
    """`study`: UID of a stored study."""

    study: str


@dataclass(frozen=True, slots=True)
class TrialView:
    """What a rule would pass on of a study. `error`: why nothing would be sent all the same."""

    matched: list[str]
    instances: int
    error: str


def operations(routing: Routing) -> list[Endpoint]:
    """The operations of rules."""

    def list_rules(call: Call) -> RuleList:
        """The rules, and why any of them waits."""
        return RuleList([_view(each) for each in routing.all(call.caller)])

    def show_rule(call: Call) -> RuleView:
        """One rule."""
        return _view(routing.get(call.caller, call.path["name"]))

    def put_rule(call: Call) -> RuleView:
        """Add a rule, which works from now on, or replace one, which goes on where it was."""
        body: RuleRequest = call.body
        where = {name: tuple(values) for name, values in (body.where or {}).items()}
        rule = Rule(call.path["name"], body.to, body.on, where, body.enabled, body.priority)
        return _view(routing.put(call.caller, rule))

    def remove_rule(call: Call) -> None:
        """Forget a rule. What it has queued is still sent."""
        routing.remove(call.caller, call.path["name"])

    def enable_rule(call: Call) -> RuleView:
        """Let a rule work, from now on."""
        return _view(routing.enable(call.caller, call.path["name"]))

    def disable_rule(call: Call) -> RuleView:
        """Let a rule rest."""
        return _view(routing.disable(call.caller, call.path["name"]))

    def try_rule(call: Call) -> TrialView:
        """What a rule would pass on of a study; nothing is sent."""
        query: TrialQuery = call.query
        rule = routing.get(call.caller, call.path["name"]).rule
        return _trial(routing.try_(call.caller, rule, query.study))

    one = "/routing-rules/{name}"
    return [
        Endpoint("GET", "/routing-rules", list_rules, RuleList),
        Endpoint("GET", one, show_rule, RuleView),
        Endpoint("PUT", one, put_rule, RuleView, body=RuleRequest),
        Endpoint("DELETE", one, remove_rule, None),
        Endpoint("POST", f"{one}/enable", enable_rule, RuleView),
        Endpoint("POST", f"{one}/disable", disable_rule, RuleView),
        Endpoint("GET", f"{one}/try", try_rule, TrialView, TrialQuery),
    ]


def _view(each: KeptRule) -> RuleView:
    return RuleView(
        name=each.rule.name,
        to=each.rule.to,
        on=each.rule.on,
        where={name: list(values) for name, values in each.rule.conditions.items()},
        enabled=each.rule.enabled,
        priority=each.rule.priority,
        behind=each.behind,
        error=each.error,
    )


def _trial(trial: Trial) -> TrialView:
    return TrialView(list(trial.matched), trial.instances, trial.error)
