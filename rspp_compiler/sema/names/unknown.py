"""Names that mean nothing in a body: nodes, kinds, ports. What is said of them, and what they were meant to be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.diagnostic import Edit
from rspp_compiler.diagnostics.fixes import guess, line_before
from rspp_compiler.diagnostics.nearest import nearest, related
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import BoundNode
from rspp_compiler.ir.context import Context
from rspp_compiler.sema.language import foreign
from rspp_compiler.sema.language.engines import ENGINES
from rspp_compiler.sema.language.kinds import BOUNDARIES, CUSTOM_KINDS, NODE_KINDS
from rspp_compiler.sema.reading.values import listed

if TYPE_CHECKING:
    from rspp_compiler.sema.names.scope import Scope

_OWN = 'python("module:Callable")'


# ---- nodes


def unknown_node(scope: Scope, name: ast.Name, *, may_declare: bool) -> None:
    """E0203. Where `may_declare`, a bare kind would have been a node."""
    local = [*scope.nodes, *scope.instances, *scope.parties]
    offered = [*(kind for kind in NODE_KINDS if kind not in CUSTOM_KINDS), *BOUNDARIES] if may_declare else []
    near = nearest(name.text, [*local, *offered, *sorted(scope.lost)])
    kind = name.text if name.text in NODE_KINDS else foreign.KINDS.get(name.text.lower(), "")
    performs = [node.id.removeprefix(scope.prefix) for node in scope.nodes.values() if node.kind == kind]
    told = "" if may_declare else _subject(scope, name.text)
    if near:
        help, fix = f"did you mean `{near}`?", Fix(name.span, near)
        scope.lost.add(near)  # it would be declared here: nothing else of it is told
    elif told:
        help, fix = f"did you mean `{told}`?", Fix(name.span, told)
    elif len(performs) == 1:
        help, fix = f"did you mean `{performs[0]}`?", Fix(name.span, performs[0])
        fix = fix if name.text == kind else guess(fix)  # `brain` may well be a second model
    elif kind:
        line = f"node {name.text}" if kind == name.text else f"node {name.text} : {kind}"
        help, fix = f"declare it: `{line}`", _declared(scope, name, line)
        fix = fix if may_declare else guess(fix)
    elif akin := related(name.text, local):
        help, fix = f"did you mean `{akin}`?", guess(Fix(name.span, akin))
    else:
        help = f"declare it: `node {name.text} : KIND`"
        fix = guess(_declared(scope, name, f"node {name.text} : tap"))
    notes = (f"nodes: {listed(local)}",) if local else ()
    if not may_declare and name.text in ("any", "all", "every", "anything", "node"):
        help, fix = "events are named, each by its node: `on stt.error or llm.error -> …`", guess(fix)
    scope.ctx.sink.add("E0203", f"no node `{name.text}`", name.span, notes=notes, help=help, fix=fix)
    scope.is_intact = False


def _subject(scope: Scope, word: str) -> str:
    """What others call the subject of an event: `user.speech_start`, `call.ended`."""
    meant = foreign.SUBJECTS.get(word.lower(), "")
    if meant in ("", "session"):
        return meant
    nodes = [node.id.removeprefix(scope.prefix) for node in scope.nodes.values() if node.kind == meant]
    return nodes[0] if len(nodes) == 1 else ""


def unknown_end(scope: Scope, name: ast.Name, direction: str) -> bool:
    """Whether a flow begins or ends at something that is the user for others: `mic -> …`. Reported."""
    left, right = foreign.ENDS.get(name.text.lower(), ("", ""))
    meant = left if direction == "output" else right
    is_known = name.text in scope.nodes or name.text in scope.instances or scope.is_lost(name.text)
    if not meant or is_known or name.text in NODE_KINDS or scope.params is not None:
        return False
    if len(scope.parties) > 1:
        meant = f"{scope.parties[0]}.{meant.partition('.')[2]}"
    what = "comes from the user" if direction == "output" else "goes to the user"
    help, notes = f"did you mean `{meant}`?", (f"what {what} flows {'from' if left == meant else 'to'} `{meant}`",)
    scope.ctx.sink.add("E0203", f"no node `{name.text}`", name.span, notes=notes, help=help, fix=Fix(name.span, meant))
    scope.is_intact = False
    return True


def _declared(scope: Scope, name: ast.Name, text: str) -> Fix:
    line = scope.line or name.span
    return line_before(scope.ctx.source(line), line, text)


def renamed_in_flows(name: ast.Name, new: str, ctx: Context) -> Fix:
    """Another name where it is declared and where it stands alone beside an arrow: elsewhere the word means its own."""
    source, word = ctx.source(name.span), re.escape(name.text)
    places = re.finditer(rf"(?<=->)\s*({word})(?![\w.]|[ \t]+\w)|^[ \t]*({word})(?=\s*->)", source.text, re.MULTILINE)
    edits = [Edit(source.span(*place.span(place.lastindex or 0)), new) for place in places]
    return Fix(name.span, new, tuple(edit for edit in edits if edit.span != name.span))


# ---- kinds


def unknown_kind(scope: Scope, written: ast.Ref | ast.Call, name: ast.Name, *, is_name: bool) -> None:
    """E0204. Where `is_name`, the kind was left out, so that the node's name should have been one."""
    word = name.text
    kinds = [kind for kind, engine in ENGINES if engine == word]
    near = nearest(word, NODE_KINDS)
    meant = near or foreign.KINDS.get(word.lower(), "")
    notes = (f"kinds: {listed(NODE_KINDS)}",)
    if kinds:
        help, fix = _engine(scope, written, kinds[0], word, is_name=is_name)
        notes = (f"`{word}` is a provider: it performs nodes of the kind `{kinds[0]}`",)
    elif meant and is_name:
        help, fix = f"give its kind: `node {word} : {meant}`", Fix(name.span, f"{word} : {meant}")
    elif meant:
        is_own = meant == _OWN and isinstance(written, ast.Call)
        fix = Fix(name.span, "python") if is_own else Fix(written.span, meant)
        help = f"did you mean `{fix.replacement}`?"
    else:
        help = f"choose one of these, or write your own: `{_OWN}`"
        help = f"give its kind: `node {word} : KIND`" if is_name else help
        fix = guess(scope.without_line(name.span))
    scope.ctx.sink.add("E0204", f"no kind of node `{word}`", name.span, notes=notes, help=help, fix=fix)


def _engine(scope: Scope, written: ast.Ref | ast.Call, kind: str, engine: str, *, is_name: bool) -> tuple[str, Fix]:
    """The kind in the engine's place, and a provider block that uses it, where there is none yet."""
    source = scope.ctx.source(written.span)
    block = f"provider {kind} {{ use {engine} }}"
    first = Edit(written.span, f"{engine} : {kind}" if is_name else kind)
    help = f"the node is a `{kind}`, and who performs it stands outside of the pipeline: `{block}`"
    if re.search(rf"^\s*provider\s+{kind}\b", source.text, re.MULTILINE):
        return help, Fix(first.span, first.replacement)
    end = len(source.text)
    line = f"{'' if source.text.endswith(chr(10)) else chr(10)}\n{block}\n"
    return help, Fix(first.span, first.replacement, (Edit(source.span(end, end), line),))


# ---- ports


def unknown_port(scope: Scope, node: BoundNode, ref: ast.Ref, direction: str) -> None:
    """E0205, or E0212 of a port on the other side."""
    own, others = (node.inputs, node.outputs) if direction == "input" else (node.outputs, node.inputs)
    wanted, sink = ref.parts[1], scope.ctx.sink
    name, names, sides = ref.parts[0].text, [port.name for port in own], [port.name for port in others]
    notes = (f"{direction}s of `{name}`: {listed(names)}",)
    scope.is_intact = False
    outwards = nearest(wanted.text, sides) or foreign.first(foreign.PORTS, wanted.text, sides)
    if direction == "input" and _goes_on(scope, ref) and (wanted.text in sides or outwards):
        _in_the_middle(scope, node, ref, wanted.text if wanted.text in sides else outwards)
    elif wanted.text in sides:
        side, is_side = ("right", "input") if direction == "input" else ("left", "output")
        message = f"`{ref.text}` is an {'output' if direction == 'input' else 'input'}"
        help = f"{side} of an arrow stands an {is_side}"
        main = next((port.name for port in own if port.main or len(own) == 1), "")
        fix = Fix(wanted.span, main) if main else guess(scope.without_line(ref.span))
        sink.add("E0212", message, wanted.span, notes=notes if own else (), help=help, fix=fix)
    elif wanted.text in node.events:
        help, fix = f"`{wanted.text}` is an event: `on {ref.text} -> …`", guess(scope.without_line(ref.span))
        sink.add("E0205", f"`{name}` has no {direction} `{wanted.text}`", wanted.span, notes=notes, help=help, fix=fix)
    else:
        main = next((port.name for port in own if port.main), "") if wanted.text in foreign.MAIN_PORTS else ""
        near = nearest(wanted.text, names) or main or foreign.first(foreign.PORTS, wanted.text, names)
        help = f"did you mean `{near}`?" if near else "name one of these" if own else "nothing flows there"
        fix = Fix(wanted.span, near) if near else guess(scope.without_line(ref.span))
        sink.add("E0205", f"`{name}` has no {direction} `{wanted.text}`", wanted.span, notes=notes, help=help, fix=fix)


def _goes_on(scope: Scope, ref: ast.Ref) -> bool:
    source = scope.ctx.source(ref.span)
    return re.match(r"\s*->", source.text[source.offset(ref.span.end_line, ref.span.end_column) :]) is not None


def _in_the_middle(scope: Scope, node: BoundNode, ref: ast.Ref, output: str) -> None:
    """`a -> stt.final -> b`: the flow passes the node, and goes on from its main output; any other begins a line."""
    name = ref.parts[0].text
    source = scope.ctx.source(ref.span)
    if next((port.main for port in node.outputs if port.name == output), False):
        help = f"write `{name}`: the flow goes on from its main output, `{output}`"
        fix = Fix(ref.span, name)
    else:
        line = source.line(ref.span.line)
        indent = line[: len(line) - len(line.lstrip())]
        help = f"end this flow at `{name}`, and begin another one: `{name}.{output} -> …`"
        fix = Fix(ref.span, f"{name}\n{indent}{name}.{output}")
    message = f"`{ref.text}` stands in the middle of a flow, where only nodes do"
    scope.ctx.sink.add("E0212", message, ref.parts[1].span, help=help, fix=fix)
