"""resolve: names → what they name. Nodes, ports, events, modes, providers; what is unknown is reported with a guess."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import (
    Bound,
    BoundEdge,
    BoundEvent,
    BoundMode,
    BoundProvider,
    BoundReaction,
    BoundUse,
)
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.catalog import (
    ACTIONS,
    ACTIONS_LATER,
    COMMON_EVENTS,
    ENGINES,
    EVENTS_LATER,
    KINDS,
    LEVELS,
    NODE_EVENTS_LATER,
    PROFILES,
    PROVIDER_KINDS,
    engine,
)
from rspp_compiler.sema.fields import unknown_key
from rspp_compiler.sema.scope import NodeScope, check_name
from rspp_compiler.sema.unsupported import not_yet, report_items, report_lines
from rspp_compiler.sema.values import listed, suggest
from rspp_compiler.source import Span

_T = TypeVar("_T")


def resolve(program: ast.Program, ctx: Context) -> Bound | None:
    """Binds the one pipeline of the program; None when there is none.

    `ears -> stt` becomes `Edge(ears.speech, stt.audio)`, and `sst` an error that offers `stt`.
    """
    items = tuple(item for file in program.files for item in file.items)
    report_items(items, ctx.sink)
    pipelines = [item for item in items if isinstance(item, ast.Pipeline)]
    if not pipelines:
        if not ctx.sink.has_errors:
            ctx.sink.add("E0211", "no pipeline in the file", program.files[0].span, help="write `pipeline NAME { … }`")
        return None
    for other in pipelines[1:]:
        message = "a second pipeline in one file is not supported yet by this compiler"
        first = pipelines[0].name
        ctx.sink.add("E0908", message, other.name.span, secondary=[(first.span, "the first is here")])
    # What cannot be declared yet was reported where it stands; its uses would only say so again.
    parties = {line.name.text for line in pipelines[0].lines if isinstance(line, ast.Party)}
    later = {item.name.text for item in items if isinstance(item, ast.Module | ast.Tool | ast.Policy)}
    imported = {name.text for item in items if isinstance(item, ast.Import) for name in item.names}
    return _Resolver(ctx.sink, program.lost | parties | later | imported).pipeline(pipelines[0], items)


class _Resolver:
    def __init__(self, sink: Sink, lost: frozenset[str]) -> None:
        self._sink = sink
        self._lost = lost
        self._scope = NodeScope(sink, lost)

    def pipeline(self, pipeline: ast.Pipeline, items: tuple[ast.Item, ...]) -> Bound:
        lines, scope = pipeline.lines, self._scope
        check_name(pipeline.name, self._sink)
        report_lines(lines, self._sink)
        for node in _of(ast.Node, lines):
            scope.declare(node)
        edges = tuple(edge for flow in _of(ast.Flow, lines) for edge in self.path(flow.start, flow.hops))
        self._declared_once(edges)
        modes = self.modes(_of(ast.Mode, lines))
        # Reactions come last: they may name the nodes and modes of any line.
        bound = [self.reaction(line, modes) for line in _of(ast.Reaction, lines)]
        record = self._only(_of(ast.Record, lines), "record")
        if record and record.level.text not in LEVELS:
            message = f"no recording level `{record.level.text}`"
            self._sink.add("E0307", message, record.level.span, help=f"there is {listed(LEVELS)}")
            record = None
        meta, budget = self._only(_of(ast.Meta, lines), "meta"), self._only(_of(ast.Budget, lines), "budget")
        nodes = sorted(scope.nodes.values(), key=lambda node: (node.span.start, node.id))
        return Bound(
            name=pipeline.name,
            version=pipeline.version,
            profile=self.profile(self._only(_of(ast.Profile, lines), "profile")),
            meta=meta.settings.items if meta else (),
            nodes=tuple(nodes),
            edges=edges,
            reactions=tuple(reaction for reaction in bound if reaction),
            modes=modes,
            budget=budget.settings.items if budget else (),
            record=record,
            providers=self.providers(_of(ast.Provider, items)),
            span=pipeline.span,
            is_intact=scope.is_intact and not self._lost,
        )

    def profile(self, line: ast.Profile | None) -> str:
        if line and line.name not in PROFILES:
            nearest = suggest(line.name, PROFILES) or PROFILES[0]
            help, fix = f"there is {listed(PROFILES)}", Fix(line.span, f"profile {nearest}")
            self._sink.add("E0209", f"no profile `{line.name}`", line.span, help=help, fix=fix)
            return PROFILES[0]
        return line.name if line else PROFILES[0]

    # ---- flows

    def path(self, start: ast.Ref | None, hops: Iterable[ast.Hop]) -> list[BoundEdge]:
        """The edges of `a -> b -> c`; an end that cannot be bound leaves its edges out."""
        edges: list[BoundEdge] = []
        source = self._scope.end(start, "output") if start else None
        at = start.span if start else None
        for hop, following in _pairs(hops):
            target = self._scope.end(hop.ref, "input")
            if at and source and target:
                settings = hop.settings.items if hop.settings else ()
                edges.append(BoundEdge(source, target, settings, at.to(hop.span)))
            if following is not None and target:
                through = ast.Ref(hop.ref.parts[:1], hop.ref.span)
                source = self._scope.end(through, "output")
            else:
                source = None
            at = hop.ref.span
        return edges

    def _declared_once(self, edges: Iterable[BoundEdge]) -> None:
        seen: dict[str, Span] = {}
        for edge in edges:
            if (first := seen.setdefault(edge.id, edge.span)) is not edge.span:
                message = f"the flow {edge.id} is written twice"
                self._sink.add("E0202", message, edge.span, secondary=[(first, "first written here")])

    # ---- modes

    def modes(self, lines: Iterable[ast.Mode]) -> tuple[BoundMode, ...]:
        found: dict[str, BoundMode] = {}
        for line in lines:
            check_name(line.name, self._sink)
            if line.name.text in found:
                secondary = [(found[line.name.text].span, "first declared here")]
                message = f"mode `{line.name.text}` is declared twice"
                self._sink.add("E0202", message, line.name.span, secondary=secondary)
                continue
            found[line.name.text] = BoundMode(line.name.text, self._off(line), line.span)
        return tuple(found.values())

    def _off(self, line: ast.Mode) -> tuple[str, ...]:
        off: list[str] = []
        for setting in line.settings.items:
            if setting.key.text != "off":
                unknown_key(setting, "a mode", ["off"], (), self._sink)
            elif not isinstance(setting.value, ast.List) or not setting.value.items:
                at = setting.value.span if setting.value else setting.key.span
                self._sink.add("E0305", "`off` takes a list of nodes", at, help="write `off = [voice]`")
            else:
                for item in setting.value.items:
                    if not isinstance(item, ast.Ref) or len(item.parts) != 1:
                        self._sink.add("E0305", "`off` takes names of nodes", item.span)
                    elif node := self._scope.node(item.parts[0], may_declare=False):
                        off.append(node.id)
        return tuple(off)

    # ---- reactions

    def reaction(self, line: ast.Reaction, modes: tuple[BoundMode, ...]) -> BoundReaction | None:
        events = self.events(line.events)
        if line.action:
            bound = self.action(line.action, events, modes, line.span)
        else:
            first = line.hops[0]
            trigger = self._scope.end(first.ref, "input")
            if trigger and trigger.node.kind != "say":
                message = f"a reaction that begins at `{trigger.node.id}` is not supported yet by this compiler"
                help = "begin the path at a `say` node"
                self._sink.add("E0804", message, first.ref.span, help=help)
                trigger = None
            path = tuple(self.path(ast.Ref(first.ref.parts[:1], first.ref.span), line.hops[1:])) if trigger else ()
            if first.settings:
                message = "the first arrow of a reaction carries no data: it takes no settings"
                self._sink.add("E0311", message, first.settings.span)
            bound = BoundReaction(events=events, trigger=trigger, path=path, span=line.span) if trigger else None
        if not bound or len(events) < len(line.events):
            self._scope.is_intact = False
        return bound if bound and events else None

    def events(self, refs: Iterable[ast.Ref]) -> tuple[BoundEvent, ...]:
        """`llm.timeout or error`: a bare event keeps the subject to its left."""
        events: list[BoundEvent] = []
        subject: ast.Name | None = None
        for ref in refs:
            if len(ref.parts) == 2:
                subject = ref.parts[0]
            elif len(ref.parts) > 2 or subject is None:
                help = "an event is written `NODE.EVENT`"
                self._sink.add("E0206", f"`{ref.text}` is not an event", ref.span, help=help)
                continue
            if bound := self._event(subject, ref.parts[-1], ref.span):
                events.append(bound)
        return tuple(events)

    def _event(self, subject: ast.Name, event: ast.Name, at: Span) -> BoundEvent | None:
        later = EVENTS_LATER.get(subject.text, ())
        if subject.text in EVENTS_LATER:
            known: tuple[str, ...] = ()
        else:
            node = self._scope.node(subject, may_declare=False)
            if node is None:
                return None
            known, later = node.events, NODE_EVENTS_LATER
        if event.text in known:
            return BoundEvent(subject.text, event.text, at)
        if event.text in later:
            not_yet("E0905", f"the event `{subject.text}.{event.text}`", event.span, self._sink)
            return None
        nearest = suggest(event.text, [*known, *later])
        help = f"did you mean `{nearest}`?" if nearest else ""
        notes = (f"events of `{subject.text}`: {listed(known or later)}",)
        fix = Fix(event.span, nearest) if nearest else None
        message = f"`{subject.text}` has no event `{event.text}`"
        self._sink.add("E0206", message, event.span, notes=notes, help=help, fix=fix)
        return None

    def action(
        self, action: ast.Action, events: tuple[BoundEvent, ...], modes: tuple[BoundMode, ...], at: Span
    ) -> BoundReaction | None:
        verb, object = action.verb.text, action.object.text
        both = f"{verb} {object}"
        if both in ACTIONS:
            return BoundReaction(events=events, verb=both.replace(" ", "_"), span=at)
        if verb == "degrade":
            names = [mode.id for mode in modes]
            if object in names:
                return BoundReaction(events=events, verb="degrade", object=object, span=at)
            if object not in self._lost:
                nearest = suggest(object, names)
                help = f"did you mean `{nearest}`?" if nearest else f"declare it: `mode {object} {{ off = [NODE] }}`"
                fix = Fix(action.object.span, nearest) if nearest else None
                self._sink.add("E0207", f"no mode `{object}`", action.object.span, help=help, fix=fix)
            return None
        if verb in ACTIONS_LATER and (not ACTIONS_LATER[verb] or object in ACTIONS_LATER[verb]):
            not_yet("E0905", f"the action `{both}`", action.span, self._sink)
            return None
        if verb == "cancel" and object in self._scope.nodes:
            not_yet("E0905", "the cancel of a single node", action.span, self._sink, "cancel the turn")
            return None
        verbs = dict.fromkeys([*(known.split()[0] for known in ACTIONS), *ACTIONS_LATER])
        actions = listed(ACTIONS)
        if verb in verbs:
            of_verb = [known for known in ACTIONS if known.split()[0] == verb]
            nearest = suggest(both, of_verb) or (of_verb[0] if len(of_verb) == 1 else "")
            help = f"did you mean `{nearest}`?" if nearest else f"there is {listed(of_verb)}"
            fix = Fix(action.span, nearest) if nearest else None
            self._sink.add("E0803", f"cannot {verb} `{object}`", action.object.span, help=help, fix=fix)
            return None
        nearest = suggest(verb, verbs)
        help = f"did you mean `{nearest}`?" if nearest else ""
        fix = Fix(action.verb.span, nearest) if nearest else None
        notes = (f"actions: {actions}; or a path that begins at a `say` node",)
        self._sink.add("E0802", f"no action `{verb}`", action.verb.span, notes=notes, help=help, fix=fix)
        return None

    # ---- providers

    def providers(self, blocks: Iterable[ast.Provider]) -> tuple[BoundProvider, ...]:
        found: dict[str, BoundProvider] = {}
        for block in blocks:
            kind = block.name
            if block.kind is not None:
                continue
            if kind.text not in PROVIDER_KINDS:
                nearest = suggest(kind.text, PROVIDER_KINDS)
                help = f"did you mean `{nearest}`?" if nearest else f"providers serve {listed(PROVIDER_KINDS)}"
                fix = Fix(kind.span, nearest) if nearest else None
                self._sink.add("E0204", f"no kind `{kind.text}` that a provider serves", kind.span, help=help, fix=fix)
                continue
            if kind.text in found:
                message = f"a second provider block for `{kind.text}`"
                secondary, help = [(found[kind.text].span, "the first is here")], "put all `use` lines in one block"
                self._sink.add("E0202", message, kind.span, secondary=secondary, help=help)
                continue
            uses = [use for offer in block.offers if isinstance(offer, ast.Use) and (use := self._use(kind, offer))]
            if not any(isinstance(offer, ast.Use) for offer in block.offers) and "use" not in self._lost:
                message, help = f"provider block for `{kind.text}` without a `use` line", "write `use NAME`"
                self._sink.add("E0310", message, kind.span, help=help)
            settings = tuple(offer for offer in block.offers if isinstance(offer, ast.Setting))
            found[kind.text] = BoundProvider(kind.text, tuple(uses), settings, block.span)
        return tuple(found[kind] for kind in sorted(found))

    def _use(self, kind: ast.Name, use: ast.Use) -> BoundUse | None:
        known = [name for of_kind, name in ENGINES if of_kind == kind.text]
        found = engine(kind.text, use.name.text)
        if found is None:
            other = next((of_kind for of_kind, name in ENGINES if name == use.name.text), "")
            nearest = suggest(use.name.text, known)
            help = f"`{use.name.text}` serves `{other}`" if other else f"did you mean `{nearest}`?" if nearest else ""
            notes = (f"providers of `{kind.text}`: {listed(known)}",)
            message = f"no provider `{use.name.text}` of `{kind.text}`"
            fix = Fix(use.name.span, nearest) if nearest and not other else None
            self._sink.add("E0208", message, use.name.span, notes=notes, help=help, fix=fix)
            return None
        if not found.has_adapter:
            message = f"`{found.name}` has no adapter in this release"
            local = next(e.name for e in ENGINES.values() if e.kind == kind.text and e.has_adapter)
            help = f"install one that registers under `rspp.providers`, or use the local engine `{local}`"
            self._sink.add("E0909", message, use.name.span, help=help)
        return BoundUse(use.name.text, use.settings.items if use.settings else (), use.span)

    def _only(self, lines: list[_T], what: str) -> _T | None:
        """The one line of its sort; a second is reported."""
        for extra in lines[1:]:
            first, second = getattr(lines[0], "span", None), getattr(extra, "span", None)
            assert isinstance(first, Span)
            assert isinstance(second, Span)
            self._sink.add("E0202", f"`{what}` stands twice", second, secondary=[(first, "first given here")])
        return lines[0] if lines else None


def _of(kind: type[_T], lines: Iterable[object]) -> list[_T]:
    return [line for line in lines if isinstance(line, kind)]


def _pairs(hops: Iterable[ast.Hop]) -> Iterable[tuple[ast.Hop, ast.Hop | None]]:
    """Each hop with the one behind it."""
    all_hops = list(hops)
    return zip(all_hops, [*all_hops[1:], None], strict=False)


def detectors(bound: Bound) -> list[str]:
    """Ids of the nodes that can tell when an utterance has ended."""
    return [node.id for node in bound.nodes if KINDS[node.kind].ends_utterance]


assert set(COMMON_EVENTS).isdisjoint(NODE_EVENTS_LATER)
