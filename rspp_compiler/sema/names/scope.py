"""The names of one body, a pipeline's or a module's: nodes, instances of modules, ports; and what refs to them mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import guess, remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundEnd, BoundNode, BoundPort
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language.catalog import PREDECLARED, RESERVED, Kind
from rspp_compiler.sema.language.kinds import BOUNDARIES, CUSTOM_KINDS, KINDS, NODE_KINDS, events_of
from rspp_compiler.sema.mending import renamed, without_clause
from rspp_compiler.sema.names.custom import implementation
from rspp_compiler.sema.names.signatures import Ports, ports
from rspp_compiler.sema.names.unknown import renamed_in_flows, unknown_end, unknown_kind, unknown_node, unknown_port
from rspp_compiler.sema.reading.values import listed, one_of, suggest
from rspp_compiler.source import Span

JOINTS = ("input", "output")  # kinds of the stand-in for a module's port; `flows.join` takes it out


@dataclass(slots=True)
class Instance:
    """A module used as a node. Its ports are stand-ins, in the order of the signature."""

    name: str
    module: ast.Module
    inputs: dict[str, BoundNode]
    outputs: dict[str, BoundNode]
    span: Span
    scope: Scope | None = None  # None until its body is bound


@dataclass(slots=True, kw_only=True)
class Scope:
    """One body. `prefix` goes before the ids of its nodes; `params` are the ports of the module it is the body of.

    `lost` are names that unreadable lines would have declared: they are never reported. `overrides` are settings that
    reach into it from outside, by the name of the node. `line` is the line being bound.
    """

    ctx: Context
    file: str
    lost: set[str]
    prefix: str = ""
    parties: tuple[str, ...] = ()
    params: Instance | None = None
    overrides: dict[str, list[ast.Setting]] = field(default_factory=dict)
    nodes: dict[str, BoundNode] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    names: dict[str, Span] = field(default_factory=dict)
    line: Span | None = None
    is_intact: bool = True

    # ---- declaring

    def may_declare(self, name: ast.Name) -> bool:
        """Whether `name` is legal and new; reports if not."""
        if not check_name(name, self.ctx):
            self.lose(name.text)
            return False
        if first := self.names.get(name.text):
            self.ctx.sink.add(
                "E0202",
                f"`{name.text}` is declared twice",
                name.span,
                secondary=[(first, "first declared here")],
                help="remove this line, or choose another name",
                fix=self.without_line(name.span),
            )
            self.is_intact = False
            return False
        self.names[name.text] = name.span
        return True

    def declare(self, node: ast.Node) -> None:
        """Binds a `node` line of a kind that is built in, or of a node of the user's own."""
        name = node.name
        written = node.kind or ast.Ref((name,), name.span)
        kind = self._kind(written, is_name=node.kind is None)
        bound = self._ports_of(kind, node) if kind else None
        if kind is None or bound is None:
            self.lose(name.text)
            return
        runs = implementation(written, kind.name, self.ctx) if kind.has_signature else None
        settings = node.settings.items if node.settings else ()
        self.nodes[name.text] = self._bind(kind, name.text, bound, runs, settings, node.span, implicit=False)

    def _ports_of(self, kind: Kind, node: ast.Node) -> tuple[Ports, Ports] | None:
        if not kind.has_signature:
            if node.signature:
                message = f"`{kind.name}` has its own ports; only custom nodes have a signature"
                fix = without_clause(node.signature.span, self.ctx)
                self.ctx.sink.add("E0311", message, node.signature.span, help="remove the signature", fix=fix)
            return _own_ports(kind, node.name.span)
        if node.signature is None:
            end = self.ctx.source(node.name.span).offset(node.name.span.end_line, node.name.span.end_column)
            help = f"write `node {node.name.text} (question : text) -> (answer : text) : {kind.name}(…)`"
            self.ctx.sink.add(
                "E0310",
                f"custom node `{node.name.text}` has no signature",
                node.name.span,
                help=help,
                fix=Fix(self.ctx.source(node.name.span).span(end, end), " (question : text) -> (answer : text)"),
            )
            return None
        return ports(node.signature, self.ctx)

    def _implicit(self, name: ast.Name) -> BoundNode | None:
        kind = KINDS[name.text]
        others = [node for node in self.nodes.values() if node.kind == name.text]
        if others:
            local = others[0].id.removeprefix(self.prefix)
            self.ctx.sink.add(
                "E0210",
                f"`{name.text}` is ambiguous: another node of this kind is declared",
                name.span,
                secondary=[(node.span, f"`{node.id}` is declared here") for node in others],
                help=f"did you mean `{local}`?",
                fix=Fix(name.span, local),
            )
            self.is_intact = False
            return None
        own = _own_ports(kind, name.span)
        self.nodes[name.text] = self._bind(kind, name.text, own, None, (), name.span, implicit=True)
        return self.nodes[name.text]

    def boundary(self, kind: str, party: str, at: Span) -> BoundNode:
        """The ingress or egress of a party."""
        name = f"{party}.{kind}" if party else kind
        if name not in self.nodes:
            own = _own_ports(KINDS[kind], at)
            node = self._bind(KINDS[kind], name, own, None, (), at, implicit=True)
            self.nodes[name] = replace(node, party=party)
        return self.nodes[name]

    def _bind(
        self,
        kind: Kind,
        name: str,
        own: tuple[Ports, Ports],
        runs: str | None,
        settings: Sequence[ast.Setting],
        span: Span,
        *,
        implicit: bool,
    ) -> BoundNode:
        from_outside = self.overrides.pop(name, [])
        replaced = {setting.key.text for setting in from_outside}
        kept = [setting for setting in settings if setting.key.text not in replaced]
        return BoundNode(
            id=self.prefix + name,
            kind=kind.name,
            execution=kind.execution,
            scope=kind.scope,
            inputs=own[0],
            outputs=own[1],
            events=events_of(kind),
            implementation=runs,
            settings=(*kept, *from_outside),
            implicit=implicit,
            span=span,
        )

    # ---- looking up

    def end(self, ref: ast.Ref, direction: str) -> BoundEnd | None:
        """Binds `ears` or `ears.speech` to an input or output port; None when it is reported as unknown."""
        head = ref.parts[0]
        if self.params and (joint := self._param(ref, direction)):
            return joint
        if instance := self.instances.get(head.text):
            return self._instance_end(instance, ref, direction)
        if head.text in self.parties or head.text in BOUNDARIES:
            node = self._boundary_of(head, "egress" if direction == "input" else "ingress")
        elif len(ref.parts) == 1 and unknown_end(self, head, direction):
            return None
        else:
            node = self.node(head)
        return self._port(node, ref, direction) if node else None

    def node(self, name: ast.Name, *, may_declare: bool = True) -> BoundNode | None:
        """The node of that name; a bare kind in a flow declares one."""
        if found := self.nodes.get(name.text):
            return found
        if self.is_lost(name.text):
            return None
        if may_declare and name.text in NODE_KINDS and name.text not in CUSTOM_KINDS:
            return self._implicit(name)
        unknown_node(self, name, may_declare=may_declare)
        return None

    def find(self, parts: Sequence[ast.Name]) -> BoundNode | Instance | None:
        """The node or instance that a dotted path means; reports the first part that means nothing."""
        scope: Scope | None = self
        for index, part in enumerate(parts):
            assert scope is not None
            is_last = index == len(parts) - 1
            if (instance := scope.instances.get(part.text)) is not None:
                if is_last:
                    return instance
                scope = instance.scope
                continue
            if is_last:
                return scope.node(part, may_declare=False)
            self._no_inside(scope, part)
            break
        return None

    def _no_inside(self, scope: Scope, part: ast.Name) -> None:
        node = scope.node(part, may_declare=False)
        if node is not None:
            message, help = f"`{part.text}` is no module: it has no nodes inside", "name the node alone"
            self.ctx.sink.add("E0205", message, part.span, help=help, fix=self.without_line(part.span))

    def _boundary_of(self, head: ast.Name, kind: str) -> BoundNode | None:
        """The half of a party that is named: by the party, or by `ingress` and `egress` where there is only one."""
        if self.params is not None:
            message = f"`{head.text}` is outside of the module"
            help = "give the module a port, and connect it where the module is used"
            self.ctx.sink.add("E0228", message, head.span, help=help, fix=self.without_line(head.span))
            self.is_intact = False
            return None
        if head.text in self.parties:
            return self.boundary(kind, head.text, head.span)
        if len(self.parties) > 1:
            self.ctx.sink.add(
                "E0225",
                f"`{head.text}` could be that of {listed(self.parties)}",
                head.span,
                help=f"say whose: `{self.parties[0]}`",
                fix=Fix(head.span, self.parties[0]),
            )
            self.is_intact = False
            return None
        # A wrong side is said of the port: `-> ingress.audio` has an ingress that takes nothing.
        return self.boundary(head.text, self.parties[0] if self.parties else "", head.span)

    def _port(self, node: BoundNode, ref: ast.Ref, direction: str) -> BoundEnd | None:
        own = node.inputs if direction == "input" else node.outputs
        sink = self.ctx.sink
        if len(ref.parts) > 2:
            message, help = f"`{ref.text}` is not a port", "a port is written `NODE.PORT`"
            sink.add("E0205", message, ref.span, help=help, fix=self.without_line(ref.span))
            self.is_intact = False
            return None
        if len(ref.parts) == 1:
            main = [port for port in own if port.main]
            if len(main) == 1:
                return BoundEnd(node, main[0], ref.span)
            help = f"write {one_of(f'{ref.text}.{port.name}' for port in own)}" if own else "it has none at all"
            fix = Fix(ref.span, f"{ref.text}.{own[0].name}") if own else guess(self.without_line(ref.span))
            sink.add("E0214", f"`{ref.text}` has no main {direction}", ref.span, help=help, fix=fix)
            self.is_intact = False
            return None
        wanted = ref.parts[1]
        if port := next((port for port in own if port.name == wanted.text), None):
            return BoundEnd(node, port, ref.span)
        unknown_port(self, node, ref, direction)
        return None

    def _param(self, ref: ast.Ref, direction: str) -> BoundEnd | None:
        """A port of the module that this is the body of, as a name of its own."""
        assert self.params is not None
        inside, other = self.params.inputs, self.params.outputs
        if direction == "input":
            inside, other = other, inside
        name = ref.parts[0]
        if len(ref.parts) == 1 and name.text in inside:
            return _joint_end(inside[name.text], ref.span)
        if len(ref.parts) == 1 and name.text in other:
            what = "comes in" if direction == "input" else "goes out"
            message = f"`{name.text}` {what}: it stands {'left' if direction == 'input' else 'right'} of an arrow"
            replacement = next(iter(inside), "")
            fix = Fix(name.span, replacement) if replacement else self.without_line(name.span)
            help = f"inside of the module, it {what}"
            self.ctx.sink.add("E0212", message, name.span, help=help, fix=fix)
            self.lost.add(name.text)
        return None

    def _instance_end(self, instance: Instance, ref: ast.Ref, direction: str) -> BoundEnd | None:
        own = instance.inputs if direction == "input" else instance.outputs
        if len(ref.parts) == 1 and own:
            return _joint_end(next(iter(own.values())), ref.span)
        wanted = ref.parts[-1]
        if len(ref.parts) == 2 and wanted.text in own:
            return _joint_end(own[wanted.text], ref.span)
        nearest = (suggest(wanted.text, own) or next(iter(own), "")) if len(ref.parts) > 1 else ""
        name = ref.parts[0].text
        self.ctx.sink.add(
            "E0205",
            f"`{name}` has no {direction} `{wanted.text}`" if len(ref.parts) > 1 else f"`{name}` has no {direction}",
            wanted.span,
            secondary=[(instance.module.signature.span, f"the ports of `{instance.module.name.text}`")],
            notes=("what is inside of a module is its own; flows go through its ports",),
            help=f"did you mean `{name}.{nearest}`?" if nearest else f"{direction}s: {listed(own)}",
            fix=Fix(ref.span, f"{name}.{nearest}") if nearest else self.without_line(ref.span),
        )
        self.is_intact = False
        return None

    def _kind(self, written: ast.Ref | ast.Call, *, is_name: bool) -> Kind | None:
        name = written.name if isinstance(written, ast.Call) else written.parts[0]
        kind, sink = KINDS.get(name.text), self.ctx.sink
        if kind and kind.has_signature and isinstance(written, ast.Ref):
            example = {"python": "module:Callable", "grpc": "unix:///run/node.sock", "wasm": "node.wasm"}[kind.name]
            fixed = f'{kind.name}("{example}")'
            message, help = f"`{kind.name}` needs to know what to call", f"write `: {fixed}`"
            sink.add("E0309", message, name.span, help=help, fix=Fix(written.span, f": {fixed}" if is_name else fixed))
            return None
        if kind and name.text in NODE_KINDS and kind.has_signature == isinstance(written, ast.Call):
            return kind
        if name.text in self.lost:
            return None
        if kind and isinstance(written, ast.Call) and name.text in NODE_KINDS:
            message, help = f"`{name.text}` takes nothing in brackets", "its settings stand in braces"
            sink.add("E0204", message, written.span, help=help, fix=guess(Fix(written.span, name.text)))
            return None
        unknown_kind(self, written, name, is_name=is_name)
        return None

    # ---- losing, mending

    def is_lost(self, name: str) -> bool:
        """Whether an unreadable line would have declared `name`: then what uses it is left out, and not reported."""
        if name in self.lost or "*" in self.lost:
            self.is_intact = False
            return True
        return False

    def lose(self, name: str) -> None:
        """`name` is declared, but not usable: its uses would only say so again."""
        self.lost.add(name)
        self.is_intact = False

    def without_line(self, at: Span) -> Fix:
        """The line being bound goes."""
        line = self.line or at
        return remove(self.ctx.source(line), line)


def check_name(name: ast.Name, ctx: Context) -> bool:
    """Whether `name` may be declared."""
    if name.text in RESERVED or name.text in PREDECLARED:
        what = "a reserved word" if name.text in RESERVED else "predeclared"
        other = f"{name.text}_1"
        help, fix = f"choose another name, such as `{other}`", renamed_in_flows(name, other, ctx)
        ctx.sink.add("E0201", f"`{name.text}` is {what}", name.span, help=help, fix=fix)
        return False
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name.text):
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.text).lower().strip("_") or "name"
        help = f"write `{snake}`"
        fix = renamed(name.span, snake, ctx)
        ctx.sink.add("E0213", f"`{name.text}` is not snake_case", name.span, help=help, fix=fix)
    return True


def joint(id: str, port: BoundPort, side: str) -> BoundNode:
    """The stand-in for an `input` or `output` of a module: what flows into it flows out of it."""
    through = replace(port, main=True)
    return BoundNode(
        id=id,
        kind=side,
        execution="boundary",
        scope="session",
        inputs=(through,),
        outputs=(through,),
        events=(),
        implementation=None,
        settings=(),
        implicit=True,
        span=port.span,
    )


def _joint_end(node: BoundNode, at: Span) -> BoundEnd:
    return BoundEnd(node, node.inputs[0], at)


def _own_ports(kind: Kind, span: Span) -> tuple[Ports, Ports]:
    inputs, outputs = (
        tuple(BoundPort(port.name, port.type, port.item, port.main, span, port.many) for port in side)
        for side in (kind.inputs, kind.outputs)
    )
    return inputs, outputs
