"""The nodes of a pipeline by name, and what their ports and events are."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rspp_compiler.diagnostics import Fix, Sink
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundEnd, BoundNode, BoundPort
from rspp_compiler.ir.types import AudioType
from rspp_compiler.sema.catalog import (
    BOUNDARIES,
    COMMON_EVENTS,
    KINDS,
    KINDS_LATER,
    NODE_KINDS,
    PREDECLARED,
    RESERVED,
    Kind,
)
from rspp_compiler.sema.unsupported import not_yet
from rspp_compiler.sema.values import RATES, listed, suggest
from rspp_compiler.source import Span

_PORT_TYPES = ("audio", "text", "event", "bytes")
_CLASSES = ("text_raw", "PII", "PHI", "derived_summary", "metadata")
_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class NodeScope:
    """Declared nodes, and those that a flow declares by naming a kind."""

    def __init__(self, sink: Sink, lost: frozenset[str]) -> None:
        self.nodes: dict[str, BoundNode] = {}
        self.is_intact = True
        self._sink = sink
        self._lost = lost  # names that unreadable lines would have declared
        self._names: dict[str, Span] = {}

    def declare(self, node: ast.Node) -> None:
        """Binds a `node` line."""
        name = node.name
        if not check_name(name, self._sink):
            self._lost |= {name.text}
            self.is_intact = False
            return
        if name.text in self._names:
            message = f"`{name.text}` is declared twice"
            secondary = [(self._names[name.text], "first declared here")]
            self._sink.add("E0202", message, name.span, secondary=secondary)
            self.is_intact = False
            return
        self._names[name.text] = name.span
        written = node.kind or ast.Ref((name,), name.span)
        kind = self._kind(written, is_name=node.kind is None)
        if kind is None:
            self._lost |= {name.text}
            self.is_intact = False
            return
        implementation = self._implementation(written) if kind.name == "python" else None
        own = (_ports(kind, name.span, 0), _ports(kind, name.span, 1))
        ports = self._signature(node) if kind.name == "python" else own
        if ports is None:
            self._lost |= {name.text}
            self.is_intact = False
            return
        if kind.name != "python" and node.signature:
            message = f"`{kind.name}` has its own ports; only custom nodes have a signature"
            self._sink.add("E0311", message, node.signature.span, help="remove the signature")
        settings = node.settings.items if node.settings else ()
        self.nodes[name.text] = _bind(kind, name.text, ports, implementation, settings, node.span, implicit=False)

    def end(self, ref: ast.Ref, direction: str) -> BoundEnd | None:
        """Binds `ears` or `ears.speech` to an input or output port; None when it is reported as unknown."""
        node = self.node(ref.parts[0])
        if node is None:
            return None
        ports, others = (node.inputs, node.outputs) if direction == "input" else (node.outputs, node.inputs)
        if len(ref.parts) > 2:
            self._sink.add("E0205", f"`{ref.text}` is not a port", ref.span, help="a port is written `NODE.PORT`")
            self._leave_out()
            return None
        if len(ref.parts) == 1:
            main = [port for port in ports if port.main]
            if len(main) == 1:
                return BoundEnd(node, main[0], ref.span)
            names = listed(f"{node.id}.{port.name}" for port in ports)
            help = f"write {names}" if ports else ""
            self._sink.add("E0214", f"`{node.id}` has no main {direction}", ref.span, help=help)
            self._leave_out()
            return None
        wanted = ref.parts[1]
        if port := next((port for port in ports if port.name == wanted.text), None):
            return BoundEnd(node, port, ref.span)
        if any(port.name == wanted.text for port in others):
            side, is_side = ("Right", "input") if direction == "input" else ("Left", "output")
            message = f"`{ref.text}` is an {'output' if direction == 'input' else 'input'}"
            help = f"{side.lower()} of an arrow stands an {is_side}"
            self._sink.add("E0212", message, wanted.span, help=help)
        else:
            nearest = suggest(wanted.text, [port.name for port in ports])
            if wanted.text in node.events:
                help = f"`{wanted.text}` is an event: `on {ref.text} -> …`"
            else:
                help = f"did you mean `{nearest}`?" if nearest else ""
            notes = (f"{direction}s of `{node.id}`: {listed(port.name for port in ports)}",)
            fix = Fix(wanted.span, nearest) if nearest else None
            message = f"`{node.id}` has no {direction} `{wanted.text}`"
            self._sink.add("E0205", message, wanted.span, notes=notes, help=help, fix=fix)
        self._leave_out()
        return None

    def node(self, name: ast.Name, *, may_declare: bool = True) -> BoundNode | None:
        """The node of that name; a bare kind in a flow declares one."""
        if found := self.nodes.get(name.text):
            return found
        if name.text in self._lost or "*" in self._lost:
            self._leave_out()
            return None
        if may_declare and name.text in KINDS and name.text != "python":
            return self._implicit(name)
        if name.text in KINDS_LATER:
            not_yet("E0903", f"the kind `{name.text}`", name.span, self._sink)
            self._leave_out()
            return None
        known = list(dict.fromkeys([*self.nodes, *(kind for kind in NODE_KINDS if kind != "python"), *BOUNDARIES]))
        nearest = suggest(name.text, [*known, *sorted(self._lost)])
        help = f"did you mean `{nearest}`?" if nearest else f"declare it: `node {name.text} : KIND`"
        fix = Fix(name.span, nearest) if nearest else None
        notes = (f"nodes: {listed(self.nodes)}",) if self.nodes else ()
        self._sink.add("E0203", f"no node `{name.text}`", name.span, notes=notes, help=help, fix=fix)
        self._leave_out()
        return None

    def _implicit(self, name: ast.Name) -> BoundNode | None:
        kind = KINDS[name.text]
        others = [node for node in self.nodes.values() if node.kind == name.text]
        if others:
            message = f"`{name.text}` is ambiguous: another node of this kind is declared"
            secondary = [(node.span, f"`{node.id}` is declared here") for node in others]
            help = f"did you mean `{others[0].id}`?"
            fix = Fix(name.span, others[0].id)
            self._sink.add("E0210", message, name.span, secondary=secondary, help=help, fix=fix)
            self._leave_out()
            return None
        ports = _ports(kind, name.span, 0), _ports(kind, name.span, 1)
        bound = _bind(kind, name.text, ports, None, (), name.span, implicit=True)
        self.nodes[name.text] = bound
        return bound

    def _leave_out(self) -> None:
        """What is reported is left out of the pipeline, which is then not whole."""
        self.is_intact = False

    def _kind(self, written: ast.Ref | ast.Call, *, is_name: bool) -> Kind | None:
        name = written.name if isinstance(written, ast.Call) else written.parts[0]
        if name.text in KINDS_LATER:
            not_yet("E0903", f"the kind `{name.text}`", name.span, self._sink)
            return None
        if name.text == "python" and isinstance(written, ast.Ref):
            help = 'write `: python("module:Callable")`'
            self._sink.add("E0309", "`python` needs to know what to call", name.span, help=help)
            return None
        if name.text in NODE_KINDS and (name.text == "python") == isinstance(written, ast.Call):
            return KINDS[name.text]
        if name.text in self._lost:
            return None
        nearest = suggest(name.text, NODE_KINDS)
        help = f"did you mean `{nearest}`?" if nearest else ""
        if is_name and not nearest:
            help = f"give its kind: `node {name.text} : KIND`"
        fix = Fix(name.span, nearest) if nearest and not is_name else None
        notes = (f"kinds: {listed(NODE_KINDS)}",)
        self._sink.add("E0204", f"no kind of node `{name.text}`", name.span, notes=notes, help=help, fix=fix)
        return None

    def _implementation(self, written: ast.Ref | ast.Call) -> str:
        args = written.args if isinstance(written, ast.Call) else ()
        if len(args) == 1 and isinstance(args[0], ast.Text) and _CALLABLE.fullmatch(args[0].text):
            return args[0].text
        message, help = "malformed reference to a callable", 'write `python("package.module:Callable")`'
        self._sink.add("E0309", message, written.span, help=help)
        return ""

    def _signature(self, node: ast.Node) -> tuple[tuple[BoundPort, ...], tuple[BoundPort, ...]] | None:
        if node.signature is None:
            help = f"write `node {node.name.text} (question : text) -> (answer : text) : python(…)`"
            self._sink.add("E0310", f"custom node `{node.name.text}` has no signature", node.name.span, help=help)
            return None
        seen: dict[str, Span] = {}
        for param in (*node.signature.inputs, *node.signature.outputs):
            if (first := seen.setdefault(param.name.text, param.name.span)) is not param.name.span:
                message = f"port `{param.name.text}` is declared twice"
                self._sink.add("E0202", message, param.name.span, secondary=[(first, "first declared here")])
        inputs = tuple(self._port(param, i == 0) for i, param in enumerate(node.signature.inputs))
        outputs = tuple(self._port(param, i == 0) for i, param in enumerate(node.signature.outputs))
        return inputs, outputs

    def _port(self, param: ast.Param, is_main: bool) -> BoundPort:
        written = param.type
        name = written.name if isinstance(written, ast.Call) else written.parts[0]
        args = written.args if isinstance(written, ast.Call) else ()
        port_type, audio, payload_class = name.text, None, "text_raw"
        if port_type not in _PORT_TYPES:
            nearest = suggest(port_type, _PORT_TYPES)
            help = f"did you mean `{nearest}`?" if nearest else f"there is {listed(_PORT_TYPES)}"
            fix = Fix(name.span, nearest) if nearest else None
            self._sink.add("E0307", f"no type `{port_type}`", name.span, help=help, fix=fix)
            port_type = "text"
        elif port_type == "bytes":
            not_yet("E0906", "the type `bytes`", name.span, self._sink)
        elif port_type == "audio" and args:
            audio = self._audio(written, args)
        elif port_type == "text" and args:
            payload_class = args[0].text if isinstance(args[0], ast.Ref) else ""
            if payload_class not in _CLASSES or len(args) > 1:
                message = f"`{param.name.text}` has no such payload class"
                self._sink.add("E0307", message, written.span, help=f"there is {listed(_CLASSES)}")
                payload_class = "text_raw"
        item = "frame" if port_type == "audio" else port_type
        return BoundPort(param.name.text, port_type, item, is_main, param.span, audio, payload_class)

    def _audio(self, written: ast.Ref | ast.Call, args: Sequence[ast.Value]) -> AudioType | None:
        match list(args):
            case [ast.Quantity(unit=unit) as rate, ast.Ref(parts=(channels,)), ast.Ref(parts=(encoding,))] if (
                unit in RATES and channels.text in ("mono", "stereo") and encoding.text == "s16le"
            ):
                rate_hz = int(float(rate.number) * RATES[unit])
                return AudioType(rate_hz=rate_hz, channels=1 if channels.text == "mono" else 2, encoding=encoding.text)
        help = "write `audio(16kHz, mono, s16le)`: a rate, mono or stereo, and the encoding"
        self._sink.add("E0309", "malformed type of audio", written.span, help=help)
        return None


def check_name(name: ast.Name, sink: Sink) -> bool:
    """Whether `name` may be declared."""
    if name.text in RESERVED or name.text in PREDECLARED:
        what = "a reserved word" if name.text in RESERVED else "predeclared"
        help = f"choose another name, such as `{name.text}_1`"
        sink.add("E0201", f"`{name.text}` is {what}", name.span, help=help)
        return False
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name.text):
        snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.text).lower().strip("_") or "name"
        help = f"write `{snake}`"
        sink.add("E0213", f"`{name.text}` is not snake_case", name.span, help=help, fix=Fix(name.span, snake))
    return True


def _ports(kind: Kind, span: Span, side: int) -> tuple[BoundPort, ...]:
    ports = (kind.inputs, kind.outputs)[side]
    return tuple(BoundPort(port.name, port.type, port.item, port.main, span) for port in ports)


def _bind(
    kind: Kind,
    id: str,
    ports: tuple[tuple[BoundPort, ...], tuple[BoundPort, ...]],
    implementation: str | None,
    settings: tuple[ast.Setting, ...],
    span: Span,
    *,
    implicit: bool,
) -> BoundNode:
    return BoundNode(
        id=id,
        kind=kind.name,
        execution=kind.execution,
        scope=kind.scope,
        inputs=ports[0],
        outputs=ports[1],
        events=() if id in BOUNDARIES else (*kind.events, *COMMON_EVENTS),
        implementation=implementation,
        settings=settings,
        implicit=implicit,
        span=span,
    )
