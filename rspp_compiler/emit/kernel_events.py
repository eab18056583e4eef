"""Events and their reactions as the compiled kernel prints them."""

from __future__ import annotations

from dataclasses import dataclass

from rspp_compiler.emit.kernel_guards import guard_lines
from rspp_compiler.emit.kernel_names import Names
from rspp_compiler.emit.kernel_reasons import origin, reason
from rspp_compiler.ir import memory
from rspp_compiler.ir.layout import Event, Plan, Reaction

TURN_EXHAUSTED = "turn.budget_exhausted"
TURN_FAILED = "turn.error"


@dataclass(slots=True)
class ActionView:
    """One reaction of an event, as the line that does it.

    `once` is its bit, where it acts once while somebody speaks.
    """

    line: int
    source: str
    call: str
    guard: list[str]
    once: str | None = None
    acts: bool = True  # it does something about the event, and does not only show it


@dataclass(slots=True)
class EventView:
    """An event that a reaction names, with what happens."""

    id: str
    const: str
    name: str
    actions: list[ActionView]
    raised: str = ""  # constant, where decisions raise it
    signal: str = ""  # those of this name
    condition: str = ""  # and for which this holds

    @property
    def guarded(self) -> bool:
        """Whether it may be that none of its reactions acts."""
        return self.acts and not any(action.acts and not action.guard for action in self.actions)

    @property
    def acts(self) -> bool:
        """Whether any of its reactions can act."""
        return any(action.acts for action in self.actions)


class Events:
    """Builds the views of a plan's events."""

    def __init__(self, plan: Plan, names: Names) -> None:
        self.plan, self.names, self.speech = plan, names, memory.speech(plan)

    def of(self, node: int) -> list[EventView]:
        """The events of a node (-1 the session, -2 the turn) that reactions name."""
        found: list[EventView] = []
        for event in self.plan.events:
            rows = [row for row in self.plan.reactions if row.event == event.id]
            if event.node == node and rows:
                actions = [self._action(row, event, number) for number, row in enumerate(rows)]
                view = EventView(self.names.event_ids[event.id], self.names.event(event.id), event.name, actions)
                if event.signal:
                    view.raised = f"RAISED_{view.id.upper()}"
                    view.signal = f"SIGNAL_{event.signal}"
                    view.condition = self._about(event)
                found.append(view)
        return found

    def _about(self, event: Event) -> str:
        """Which decisions of an event's signal are about its subject."""
        node = self.names.node_ids[event.node].upper() if event.node >= 0 else ""
        if event.name == TURN_FAILED:
            return " and apologies.is_failure(core, decision.cause)"
        if event.signal == "CANCEL":
            about = f"SCOPE_NODE and decision.y == NODE_{node}" if node else "SCOPE_TURN"
            return f" and decision.x == {about}"
        if event.signal in ("BUDGET_WARNING", "BUDGET_EXHAUSTED"):
            return " and decision.y < 0"
        if event.signal == "FALLBACK" and node:
            rows = [row.id for row in self.plan.reactions if self.plan.events[row.event].node == event.node]
            return f" and ({' or '.join(f'decision.x == {row}' for row in rows)})"
        if event.signal.startswith("PLAYBACK_") and node and event.node != self.plan.egress:
            return f" and (core.turn.spoke & bit(NODE_{node})) != 0"
        return f" and decision.node == NODE_{node}" if node and event.node != self.plan.egress else ""

    def _cause(self, event: int) -> str:
        if event in (self.plan.barge_in, self.plan.speech_start) and event >= 0:
            return "CAUSE_BARGE_IN"
        for node in self.plan.nodes:
            if event == node.event_error:
                return "CAUSE_NODE_ERROR"
            if event == node.event_timeout:
                return "CAUSE_NODE_TIMEOUT"
            if event == node.event_exhausted:
                return "CAUSE_BUDGET_EXHAUSTED"
        return "CAUSE_BUDGET_EXHAUSTED" if self.plan.events[event].name == TURN_EXHAUSTED else "CAUSE_USER"

    def _action(self, row: Reaction, event: Event, number: int) -> ActionView:
        verb, target, cause = row.action.verb, row.action.target, self._cause(row.event)
        name = event.name
        once = hex(1 << number) if event.id == self.plan.barge_in and self.speech == "waits" else None
        unless = f"core.speech.acted & {once}" if once else ""
        guard = guard_lines(row.guard, decided=bool(event.signal), unless=unless)
        node = f"NODE_{self.names.node_ids[target].upper()}" if verb in ("cancel_node", "trigger", "show") else ""
        if verb in ("degrade", "enter"):
            mode = f"MODE_{self.names.mode_ids[target].upper()}"
            call = f"reactions.{verb}(core, {mode}, {mode}_NODES_OFF, {mode}_EDGES_OFF, {cause})"
            words = f"{verb} {self.plan.modes[target].name}"
        elif verb == "trigger" and name == TURN_FAILED:
            call, words = f"apologies.apologise(core, {node})", self.plan.nodes[target].name
        elif verb == "trigger":
            failed = cause in ("CAUSE_NODE_ERROR", "CAUSE_NODE_TIMEOUT", "CAUSE_BUDGET_EXHAUSTED")
            fallback = str(row.id) if failed else "reactions.NO_FALLBACK"
            call = f"reactions.say(core, {node}, {origin(self.plan, row.event)}, {fallback}, {cause})"
            words = self.plan.nodes[target].name
        elif verb == "show":
            at = self.names.node_ids[event.node]
            own = f"&(<Memory*> core).letters_{at}"
            call = f"letters.show(core, {own}, {node}, NODE_{at.upper()}, {cause})"
            words = self.plan.nodes[target].name
        elif verb == "cancel_node":
            call, words = f"reactions.cancel_node(core, {node}, {cause})", f"cancel {self.plan.nodes[target].name}"
        elif verb in ("pause", "resume"):
            call, words = f"pauses.{verb}(core, {cause})", f"{verb} {self.plan.nodes[target].name}"
        elif verb in ("cancel_turn", "cancel_session"):
            call, words = f"reactions.{verb}(core, {cause})", verb.replace("_", " ")
        elif verb == "abort_turn":
            call, words = f"reactions.abort_turn(core, {reason(self.plan, row.event, cause)})", "abort turn"
        elif verb == "open_turn":
            call, words = f"reactions.open_turn(core, {origin(self.plan, row.event)})", "open turn"
        elif verb == "end_utterance":
            call, words = "hearing.end_utterance(core, ORIGIN_SPEECH)", "end utterance"
        else:
            call, words = f"reactions.{verb}(core)", verb.replace("_", " ")
        when = " when …" if row.guard else ""
        return ActionView(row.line, f"on {name}{when} -> {words}", call, guard, once, acts=verb != "show")
