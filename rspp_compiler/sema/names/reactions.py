"""Reactions: their events, and what they end in: a verb with its object, or a path."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce
from typing import cast

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import both, guess, line_before
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundEnd, BoundEvent, BoundNode, BoundReaction
from rspp_compiler.ir.condition import Condition, Junction
from rspp_compiler.ir.spec import Verb
from rspp_compiler.sema.language.catalog import ACTIONS
from rspp_compiler.sema.language.events import SESSION_EVENTS, TOOL_EVENTS, TURN_EVENTS, Fields, event_fields
from rspp_compiler.sema.language.kinds import BOUNDARIES, KINDS
from rspp_compiler.sema.mending import without_clause
from rspp_compiler.sema.names.conditions import Conditions
from rspp_compiler.sema.names.flows import hop_guard, path
from rspp_compiler.sema.names.scope import JOINTS, Instance, Scope
from rspp_compiler.sema.names.unknown_reactions import is_lone_action, lone_event, unknown_action, unknown_event
from rspp_compiler.sema.reading.values import listed, suggest
from rspp_compiler.source import Span

_SUBJECTS = {"session": SESSION_EVENTS, "turn": TURN_EVENTS}


@dataclass(frozen=True, slots=True)
class Reactions:
    """Binds the reactions of one body. `modes` and `tools` are the names that actions may have as objects."""

    scope: Scope
    conditions: Conditions
    modes: tuple[str, ...]
    tools: tuple[str, ...]

    def bind(self, line: ast.Reaction) -> BoundReaction | None:
        events = self._events(line.events)
        guard = self._guard(line, events)
        ends_in = line.action
        bound = self._action(ends_in, events, guard, line.span) if ends_in else self._path(line, events, guard)
        if not bound or len(events) < len(line.events) or (line.guard and not guard):
            self.scope.is_intact = False
            return None
        return bound

    # ---- events

    def _events(self, refs: Iterable[ast.Ref]) -> tuple[BoundEvent, ...]:
        """`llm.timeout or error`: a bare event keeps the subject to its left."""
        events: list[BoundEvent] = []
        subject: tuple[ast.Name, ...] = ()
        for ref in refs:
            subject = ref.parts[:-1] or subject
            if not subject:
                lone_event(self.scope, ref)
                continue
            if bound := self._event(subject, ref.parts[-1], ref.span):
                events.append(bound)
        return tuple(events)

    def _event(self, subject: tuple[ast.Name, ...], event: ast.Name, at: Span) -> BoundEvent | None:
        word = ".".join(part.text for part in subject)
        if word in _SUBJECTS:
            return self._known(word, word, event, _SUBJECTS[word], at)
        if word in self.tools and word not in self.scope.nodes:
            return self._known(word, word, event, TOOL_EVENTS, at)
        if self.scope.params is None and (word in BOUNDARIES or word in self.scope.parties):
            return self._of_party(subject[0], event, at)
        node = self.scope.find(subject)
        if isinstance(node, Instance):
            inside = [] if node.scope is None else [f"{word}.{name}" for name in node.scope.nodes]
            message = f"`{word}` is a module: its nodes have events, it has none"
            help = f"name one of its nodes: {listed(inside)}"
            fix = Fix(subject[-1].span, inside[0]) if inside and len(subject) == 1 else self.scope.without_line(at)
            self.scope.ctx.sink.add("E0206", message, at, help=help, fix=fix)
            return None
        return self._known(node.id, word, event, node.events, at) if node else None

    def _of_party(self, subject: ast.Name, event: ast.Name, at: Span) -> BoundEvent | None:
        """An event of a party is one of its ingress or of its egress."""
        if len(self.scope.parties) > 1 and subject.text in BOUNDARIES:
            help = f"say whose: `{self.scope.parties[0]}.{event.text}`"
            message, fix = f"`{subject.text}` could be that of {listed(self.scope.parties)}", self.scope.parties[0]
            self.scope.ctx.sink.add("E0225", message, subject.span, help=help, fix=Fix(subject.span, fix))
            return None
        party = self.scope.parties[0] if self.scope.parties else ""
        halves = (subject.text,) if subject.text in BOUNDARIES else BOUNDARIES
        party = party if subject.text in BOUNDARIES else subject.text
        for half in halves:
            if event.text in KINDS[half].events:
                return BoundEvent(self.scope.boundary(half, party, subject.span).id, event.text, at)
        known = tuple(name for half in halves for name in KINDS[half].events)
        return self._known(subject.text, subject.text, event, known, at)

    def _known(self, id: str, shown: str, event: ast.Name, known: tuple[str, ...], at: Span) -> BoundEvent | None:
        if event.text in known:
            return BoundEvent(id, event.text, at)
        unknown_event(self.scope, id, shown, event, known, at)
        return None

    def _guard(self, line: ast.Reaction, events: tuple[BoundEvent, ...]) -> Condition | None:
        """The condition of the line; it may read the fields that all of its events have."""
        if line.guard is None:
            return None
        if line.guard.condition is None:
            message, help = "a reaction has no `otherwise`: lines for one event all run, in order", "write `when not …`"
            fix = self.scope.without_line(line.guard.span)
            self.scope.ctx.sink.add("E0230", message, line.guard.span, help=help, fix=fix)
            return None
        if not events:
            return None
        tables = [event_fields(event.event, event.subject) for event in events]
        shared: Fields = reduce(_shared, tables)
        of = " or ".join(f"`{event.subject}.{event.event}`" for event in events)
        return self.conditions.guard(line.guard, shared, of)

    # ---- paths

    def _path(
        self, line: ast.Reaction, events: tuple[BoundEvent, ...], guard: Condition | None
    ) -> BoundReaction | None:
        first, *others = line.hops
        if not others and len(first.ref.parts) == 1 and is_lone_action(self.scope, first.ref, self.modes, self.tools):
            return None
        trigger = self.scope.end(first.ref, "input")
        sink = self.scope.ctx.sink
        if first.settings:
            message = "the first arrow of a reaction carries no data: it takes no settings"
            fix = without_clause(first.settings.span, self.scope.ctx)
            sink.add("E0311", message, first.settings.span, help="remove the braces", fix=fix)
        if trigger and (trigger.node.kind in JOINTS or trigger.node.kind == "egress"):
            what = "the egress" if trigger.node.kind == "egress" else "a module"
            message = f"a path of a reaction cannot begin at {what}"
            help, fix = self._said_first(first.ref, trigger)
            sink.add("E0804", message, first.ref.span, help=help, fix=fix)
            return None
        if trigger is None:
            return None
        if first.guard:
            own, _ = hop_guard(self.conditions, first, trigger)
            guard = Junction(op="and", left=guard, right=own) if guard and own else guard or own
        start = ast.Ref(first.ref.parts[:1], first.ref.span)
        edges = tuple(path(self.scope, self.conditions, start, others)) if others else ()
        return BoundReaction(events=events, guard=guard, trigger=trigger, path=edges, span=line.span)

    def _said_first(self, ref: ast.Ref, trigger: BoundEnd) -> tuple[str, Fix]:
        """Something to say in front of where the path begins; the line goes where that takes no words."""
        nodes = self.scope.nodes
        said = next((name for name, node in nodes.items() if node.kind == "say"), "sorry")
        voice = next((name for name, node in nodes.items() if node.kind == "tts"), "tts")
        is_clear = trigger.port.type in ("text", "audio") and (said in nodes or said not in self.scope.names)
        if not is_clear or self.scope.line is None:
            return "begin it at a node", self.scope.without_line(ref.span)
        way = f"{said} -> " if trigger.port.type == "text" else f"{said} -> {voice} -> "
        source = self.scope.ctx.source(ref.span)
        start = source.offset(ref.span.line, ref.span.column)
        spoken = Fix(source.span(start, start), way)
        if said not in nodes:
            node = f'node {said} : say {{ text = "Sorry, could you say that again?" }}'
            spoken = both(line_before(source, self.scope.line, node), spoken)
        return f"begin it at a node, such as a `say`: `-> {way}{ref.text}`", spoken

    # ---- actions

    def _action(
        self, action: ast.Action, events: tuple[BoundEvent, ...], guard: Condition | None, at: Span
    ) -> BoundReaction | None:
        verb, object = action.verb.text, action.object
        takes = ACTIONS.get(verb)
        names = {"MODE": self.modes, "TOOL": self.tools}
        if takes is None:
            unknown_action(self.scope, action, names)
            return None
        if object.text in takes:
            name = cast(Verb, f"{verb}_{object.text}")
            return BoundReaction(events=events, guard=guard, verb=name, span=at)
        for sort in takes:
            if object.text in names.get(sort, ()):
                return BoundReaction(events=events, guard=guard, verb=cast(Verb, verb), object=object.text, span=at)
        if "NODE" in takes and self._is_node(object):
            node = self.scope.find(object.parts)
            if isinstance(node, BoundNode):
                name = cast(Verb, "cancel_node" if verb == "cancel" else verb)
                return BoundReaction(events=events, guard=guard, verb=name, object=node.id, span=at)
        self._wrong_object(action, takes, names)
        return None

    def _is_node(self, ref: ast.Ref) -> bool:
        head = ref.parts[0].text
        return head in self.scope.nodes or head in self.scope.instances

    def _wrong_object(self, action: ast.Action, takes: tuple[str, ...], names: dict[str, tuple[str, ...]]) -> None:
        verb, object = action.verb.text, action.object
        if self.scope.is_lost(object.parts[0].text):
            return
        known = [word for sort in takes for word in self._choices(sort, names)]
        nearest = suggest(object.text, known) or (known[0] if len(known) == 1 else "")
        help, fix = f"did you mean `{verb} {nearest}`?", Fix(object.span, nearest)
        others = [other for other, words in ACTIONS.items() if object.text in words]
        if takes == ("MODE",):
            code, message = "E0207", f"no mode `{object.text}`"
            other_help = f"declare it: `mode {object.text} {{ off = [NODE] }}`"
        elif takes == ("TOOL",):
            code, message = "E0226", f"no tool `{object.text}`"
            other_help = f'declare it: `tool {object.text} : python("module:callable")`'
        else:
            code, message, other_help = "E0803", f"cannot {verb} `{object.text}`", f"there is {listed(known)}"
        if others:
            meant = "cancel" if "cancel" in others else others[0]
            help, fix = f"did you mean `{meant} {object.text}`?", guess(Fix(action.verb.span, meant))
        elif not nearest:
            help, fix = other_help, self.scope.without_line(object.span)
        self.scope.ctx.sink.add(code, message, object.span, help=help, fix=fix)

    def _choices(self, sort: str, names: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
        if sort == "NODE":
            return tuple(name for name, node in self.scope.nodes.items() if node.execution != "boundary")
        return names.get(sort, (sort,))


def _shared(one: Fields, other: Fields) -> Fields:
    return {field: type for field, type in one.items() if other.get(field) == type}
