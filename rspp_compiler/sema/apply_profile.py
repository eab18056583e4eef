"""apply_profile: missing fields → values with an origin: the user, a line of the profile, or what they follow from."""

from __future__ import annotations

from collections.abc import Mapping

from rspp_compiler.diagnostics import Sink
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import (
    Bound,
    BoundEdge,
    BoundNode,
    BoundPort,
    BoundUse,
    Fields,
    Filled,
    FilledEdge,
    FilledNode,
    FilledPort,
    FilledProvider,
    FilledReaction,
    FilledUse,
    Overflow,
    Valued,
)
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.origin import Origin
from rspp_compiler.ir.types import AnyType, AudioType, BytesType, EventType, PortType, TextType
from rspp_compiler.sema.catalog import COMMON_LATER, KINDS, PROVIDER_KINDS, PROVIDER_LATER, Setting, engine
from rspp_compiler.sema.edge_fields import read_edge
from rspp_compiler.sema.fields import distinct, guessed, read_fields, unknown_key
from rspp_compiler.sema.profile import ProfileTable, profile_table
from rspp_compiler.sema.values import show_ns, suggest

_BUDGETS = ("turn", "turn_total", "path", "edge", "node")
_TIMEOUTS = (Setting("first_chunk", "duration"), Setting("chunk", "duration"))
_LIMITS = {
    "cancel_grace_ns": "cancel.grace",
    "egress_lead_ns": "egress.lead",
    "egress_hold_ns": "egress.hold",
    "egress_stall_ns": "egress.stall",
    "evidence_append_ns": "evidence.append",
    "utterance_bytes_max": "context.utterance",
    "spoken_bytes_max": "context.spoken",
    "context_items_max": "context.items",
    "context_bytes_max": "context.size",
    "control_in_max": "control.inbound",
}


def apply_profile(bound: Bound, ctx: Context) -> Filled:
    """Fills every field.

    `node llm` without a budget gets `first_output_ns = 800 ms`, from `execution_profile/simple/v1`, line 9.
    """
    profile = profile_table(bound.profile)
    ctx.sources[profile.source.name] = profile.source
    return _Filler(bound, profile, ctx.sink).filled()


class _Filler:
    def __init__(self, bound: Bound, profile: ProfileTable, sink: Sink) -> None:
        self._bound = bound
        self._profile = profile
        self._sink = sink
        self._budget = self._read_budget()

    def filled(self) -> Filled:
        bound, profile = self._bound, self._profile
        nodes = tuple(self.node(node) for node in bound.nodes)
        recording = profile.get("recording.level")
        if bound.record:
            recording = Valued(bound.record.level.text, Origin.user(bound.record.level.span))
        return Filled(
            bound=bound,
            meta=self.meta(),
            nodes=nodes,
            edges=tuple(self.edge(edge) for edge in bound.edges),
            reactions=tuple(
                FilledReaction(reaction, tuple(self.edge(edge) for edge in reaction.path))
                for reaction in bound.reactions
            ),
            budget={
                **{f"{name}_ns": self._budget[name] for name in _BUDGETS},
                "warning_percent": profile.get("budget.warning"),
            },
            limits={field: profile.get(key) for field, key in _LIMITS.items()},
            recording=recording,
            providers=tuple(self.providers(nodes)),
        )

    def meta(self) -> Fields:
        """Notes for people. Any key, any plain value."""
        fields: dict[str, Valued] = {}
        for key, setting in distinct(self._bound.meta, self._sink).items():
            match setting.value:
                case ast.Text(text=text) | ast.Ref(text=text):
                    fields[key] = Valued(text, Origin.user(setting.value.span))
                case ast.Number(number=number):
                    fields[key] = Valued(number, Origin.user(setting.value.span))
                case ast.Quantity(number=number, unit=unit):
                    fields[key] = Valued(number + unit, Origin.user(setting.value.span))
                case _:
                    message = f"`{key}` of meta takes a text, a number or a name"
                    self._sink.add("E0305", message, setting.span, help=f'write `{key} = "…"`')
        return fields

    # ---- budgets

    def _read_budget(self) -> dict[str, Valued]:
        """Budgets by name: the profile's, then the user's. A node's id is a name too."""
        budget = {name: self._profile.get(f"budget.{name}") for name in _BUDGETS}
        ids = [node.id for node in self._bound.nodes if node.execution == "effect"]
        known = ["turn", "turn.total", *ids]
        for key, setting in distinct(self._bound.budget, self._sink).items():
            if key in known:
                table = [Setting(key, "duration")]
                read = read_fields([setting], table, "the budget", (), self._sink)
                budget |= {key.replace(".", "_"): value for value in read.values()}
            elif len(setting.key.refs) > 1 or key == "cost":
                what = "a cost" if key == "cost" else "a budget of one path"
                message = f"{what} is not supported yet by this compiler"
                self._sink.add("E0904", message, setting.key.span, help="budget the turn and its nodes")
            elif node := next((node for node in self._bound.nodes if node.id == key), None):
                message = f"`{key}` answers at once: a budget for it has no meaning"
                self._sink.add("E0301", message, setting.key.span, secondary=[(node.span, f"it is a `{node.kind}`")])
            elif self._bound.is_intact or key in ("path", "edge", "node"):
                unknown_key(setting, "the budget", known, (), self._sink)
        return budget

    def _first_output(self, node: BoundNode, settings: Mapping[str, Valued]) -> Valued:
        if node.id in self._budget:
            return self._budget[node.id]
        if "timeout_ns" in settings:
            return settings["timeout_ns"]
        return self._profile.section("budget").get(node.kind) or self._budget["node"]

    # ---- nodes

    def node(self, node: BoundNode) -> FilledNode:
        kind, profile = KINDS[node.kind], self._profile
        of = f"`{node.kind}`"
        settings = read_fields(node.settings, kind.settings, of, kind.later | COMMON_LATER, self._sink)
        for setting in kind.settings:
            default = profile.section(node.kind).get(setting.name)
            if default and setting.field not in settings:
                settings[setting.field] = default
        fields: dict[str, Valued] = {}
        if node.execution == "effect":
            fields["first_output_ns"] = self._first_output(node, settings)
            fields["chunk_ns"] = profile.get("provider.chunk")
            fields["window_items"] = profile.get("provider.window")
            if node.kind == "python":
                fields["emissions_max"] = profile.get("python.emissions")
        inputs = tuple(self._port(port) for port in node.inputs)
        return FilledNode(node, inputs, tuple(self._port(port) for port in node.outputs), settings, fields)

    def _port(self, port: BoundPort) -> FilledPort:
        if port.type == "audio":
            audio, frame = self._audio(port), self._profile.get("audio.frame")
            size = audio.bytes_per_second * frame.number // 1_000_000_000
            reason = f"{show_ns(frame.number)} of {audio}"
            return FilledPort(port, audio, Valued(size, Origin.derived(frame.origin.span, reason)), frame.number)
        types: dict[str, PortType] = {
            "text": TextType(payload_class=port.payload_class),
            "event": EventType(),
            "bytes": BytesType(),
            "any": AnyType(),
        }
        return FilledPort(port, types[port.type], self._profile.get(f"item.{port.item}"), 0)

    def _audio(self, port: BoundPort) -> AudioType:
        if port.audio:
            return port.audio
        table = self._profile.section("audio")
        channels = 1 if table["channels"].value == "mono" else 2
        return AudioType(rate_hz=table["rate"].number, channels=channels, encoding=str(table["encoding"].value))

    # ---- edges

    def edge(self, edge: BoundEdge) -> FilledEdge:
        user, handoff = read_edge(edge.settings, self._sink)
        source, target = edge.source.node, edge.target.node
        scope = "session" if source.scope == target.scope == "session" else "turn"
        if target.id == "egress" and target.kind == "egress" and edge.target.port.name == "audio":
            fields = {**self._egress_audio(edge), **user}
        else:
            fields = {**self._defaults(edge, scope), **user}
            if "buffer_items" not in user and _steps(fields)[0].strategy == "latest_only":
                reason = "`latest_only` keeps one item"
                fields["buffer_items"] = Valued(1, Origin.derived(fields["overflow"].origin.span, reason))
            if "buffer_ns" not in user and all(step.strategy == "block" for step in _steps(fields)):
                fields["buffer_ns"] = Valued(0, fields["overflow"].origin)  # what only blocks sheds nothing for its age
        held = self._handoff(edge, handoff)
        if "buffer_bytes" not in fields:
            largest, items = self._port(edge.source.port).item_bytes_max.number, fields["buffer_items"]
            if held:
                largest = max(largest, held["bytes_max"].number)
            reason = f"{items.number} items of at most {largest} bytes"
            fields["buffer_bytes"] = Valued(items.number * largest, Origin.derived(items.origin.span, reason))
        fields.setdefault("latency_ns", self._latency(fields, scope))
        fields.setdefault("commit_point", Valued(False, Origin.user(edge.span)))
        fields["scope"] = Valued(scope, Origin.derived(edge.span, f"`{source.id}` and `{target.id}` live that long"))
        return FilledEdge(edge, fields, held)

    def _defaults(self, edge: BoundEdge, scope: str) -> dict[str, Valued]:
        kind = "audio" if edge.source.port.type == "audio" else "text"
        table = self._profile.section(f"edge.{scope}.{kind}")
        fields = {"buffer_items": table["items"]}
        fields["buffer_ns"] = table.get("age") or Valued(0, table["items"].origin)
        steps = [Overflow("block", table["block"].number)] if "block" in table else []
        steps.append(Overflow(str(table["overflow"].value)))
        fields["overflow"] = Valued(tuple(steps), table["overflow"].origin)
        return fields

    def _egress_audio(self, edge: BoundEdge) -> dict[str, Valued]:
        """The edge into `egress.audio` holds a fixed time of audio and blocks: it never sheds what will be heard."""
        hold, stall = self._profile.get("egress.hold"), self._profile.get("egress.stall")
        frame = self._profile.get("audio.frame")
        reason = f"{show_ns(hold.number)} of audio in items of {show_ns(frame.number)}"
        items = Valued(-(-hold.number // frame.number), Origin.derived(hold.origin.span, reason))
        overflow = Valued((Overflow("block", stall.number),), stall.origin)
        return {"buffer_items": items, "buffer_ns": Valued(0, stall.origin), "overflow": overflow}

    def _latency(self, fields: Mapping[str, Valued], scope: str) -> Valued:
        age = fields["buffer_ns"]
        if scope == "session" and age.number:
            reason = f"nothing waits longer than {show_ns(age.number)}"
            return Valued(age.number, Origin.derived(age.origin.span, reason))
        return self._budget["edge"]

    def _handoff(self, edge: BoundEdge, written: dict[str, Valued] | None) -> Fields | None:
        """What the user wrote, completed; words on their way from a model to a voice are held by sentence anyway."""
        source, target = edge.source, edge.target
        speaks = source.node.kind == "llm" and source.port.name == "delta" and target.node.kind == "tts"
        if written is None and not speaks:
            return None
        written = written or {}
        return {
            "by": written.get("by") or self._profile.get("handoff.by"),
            "age_ns_max": written.get("max_age_ns") or self._profile.get("handoff.age"),
            "bytes_max": self._profile.get("handoff.size"),
        }

    # ---- providers

    def providers(self, nodes: tuple[FilledNode, ...]) -> list[FilledProvider]:
        """One for each kind that some node needs, in the order of the catalogue, so that scripts are known by then."""
        blocks = {block.kind: block for block in self._bound.providers}
        scripts: dict[str, Valued] = {}
        found: list[FilledProvider] = []
        for kind in sorted(PROVIDER_KINDS, key=lambda kind: kind != "llm"):
            block, using = blocks.get(kind), [node for node in nodes if node.bound.kind == kind]
            if not using and block is None:
                continue
            if block and block.uses:
                uses = tuple(self._use(kind, use, scripts) for use in block.uses)
                span = block.span
            else:
                default = self._profile.get(f"providers.{kind}")
                span = block.span if block else default.origin.span
                uses = (self._use(kind, BoundUse(str(default.value), (), default.origin.span), scripts),)
            timeouts = self._timeouts(block.settings if block else (), using, kind)
            if using:
                found.append(FilledProvider(kind, uses, timeouts, span))
        return sorted(found, key=lambda provider: PROVIDER_KINDS.index(provider.kind))

    def _use(self, kind: str, use: BoundUse, scripts: dict[str, Valued]) -> FilledUse:
        of = engine(kind, use.name)
        assert of is not None  # resolve found it
        table = guessed(use.settings) if of.any_settings else of.settings
        of_node = [setting.name for setting in KINDS[kind].settings]

        def on_the_node(key: str) -> str:
            near = key if key in of_node else suggest(key, of_node)
            return f"`{near}` is a setting of the node: `node {kind} {{ {near} = … }}`" if near else ""

        fields = read_fields(use.settings, table, f"`{use.name}`", ("tunable",), self._sink, on_the_node)
        if kind == "llm" and "script" in fields:
            scripts.setdefault("script", fields["script"])
        if use.name == "pocketsphinx" and "script" not in fields and "script" in scripts:
            # The recogniser's language model is made from the sentences that the dialogue knows.
            script = scripts["script"]
            fields["script"] = Valued(script.value, Origin.derived(script.origin.span, "the dialogue of provider llm"))
        return FilledUse(use.name, fields, use.span)

    def _timeouts(self, settings: tuple[ast.Setting, ...], using: list[FilledNode], kind: str) -> Fields:
        fields: dict[str, Valued] = {}
        for key, setting in distinct(settings, self._sink).items():
            if key != "timeout":
                unknown_key(setting, "a provider block", ["timeout"], PROVIDER_LATER, self._sink)
            elif isinstance(setting.value, ast.Settings):
                fields |= read_fields(setting.value.items, _TIMEOUTS, "`timeout`", (), self._sink)
            else:
                help = "write `timeout = { first_chunk = 700ms, chunk = 300ms }`"
                self._sink.add("E0305", "`timeout` takes a block", setting.span, help=help)
        first = self._profile.get("provider.first_chunk")
        for node in using:
            budget = node.fields["first_output_ns"]
            if budget.number < first.number:
                reason = f"never more than the budget of `{node.bound.id}`, {show_ns(budget.number)}"
                first = Valued(budget.number, Origin.derived(budget.origin.span, reason))
        return {"first_chunk_ns": first, "chunk_ns": self._profile.get("provider.chunk"), **fields}


def _steps(fields: Mapping[str, Valued]) -> tuple[Overflow, ...]:
    value = fields["overflow"].value
    return value if isinstance(value, tuple) else ()
