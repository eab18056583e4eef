"""index: AST → every name with what it means: `index(program)` finds `Index.symbols` and `Index.mentions`.

It needs no pass behind `lower` and reports nothing, so it works on a file with errors, and on half a program. Names are
looked up as the language scopes them:

    a file           its modules, tools, pools and policies, and what it imports
    a pipeline       its nodes, parties and modes; then the file's names
    a module         its ports, nodes, parties and modes, which nobody outside sees; then the file's names
    a policy         its own nodes; then those of the file's pipeline

A dotted name goes in from the left: `to_en.stt.language` is the setting `language` of the node `stt` inside the module
that `to_en` is made of. A bare kind in a flow is a node, declared where it is first used:

    stt -> llm                             node `stt` (implicit), node `llm`
    node llm { tools = [book] }            node `llm`, its setting `tools`, tool `book`
    on stt.error -> degrade text_only      node `stt`, its event `error`, verb `degrade`, mode `text_only`
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rspp_compiler.ir import ast
from rspp_compiler.ir.symbols import Declared, Index, Mention, Sort, Symbol
from rspp_compiler.sema.names.index_scope import BOUNDARIES, Declarations, Scope, kind_of, made_of

_SUBJECTS = ("session", "turn", "event", "utterance")
_OBJECTS: dict[str, Declared] = {"degrade": "mode", "enter": "mode", "call": "tool"}  # of the other verbs: a node
# Settings whose values are names
_NAMES: dict[str, Sort] = {"tools": "tool", "off": "node", "priority": "node", "provider": "pool", "tunable": "setting"}
_FIELDS: dict[str, Declared] = {"mode": "mode", "party": "party"}  # fields that are compared with names


def index(program: ast.Program) -> Index:
    """The symbols of a program, and every place that mentions one.

    An import is followed when its file is part of the program: the path is relative to the importing file's folder, as
    `Span.file` names both. Otherwise the imported name is a symbol of its own.
    """
    declarations = Declarations(program)
    mentions = _Mentions(declarations).all(program)

    def place(one: Symbol | Mention) -> tuple[str, int, int]:
        at = one.at if isinstance(one, Symbol) else one.span
        return (at.file, at.start, -at.end)

    return Index(tuple(sorted(declarations.symbols, key=place)), tuple(sorted(mentions, key=place)))


class _Mentions:
    def __init__(self, declarations: Declarations) -> None:
        self._declarations = declarations
        self._mentions = list(declarations.mentions)

    def all(self, program: ast.Program) -> list[Mention]:
        for body, scope in self._declarations.bodies:
            self._body(body, scope)
        for file in (*program.files, *program.imported):
            scope = self._declarations.files[file.span.file]
            for item in file.items:
                if isinstance(item, ast.Tool):
                    self._tool(item, scope)
                elif isinstance(item, ast.Provider):
                    self._provider(item, scope)
        return self._mentions

    # ---- what a line mentions

    def _mention(
        self,
        sort: Sort,
        name: ast.Name,
        symbol: Symbol | None = None,
        owner: Symbol | None = None,
        *,
        of: str = "",
        path: str = "",
    ) -> None:
        self._mentions.append(Mention(sort, name.text, name.span, symbol, owner, of=of, path=path))

    def _body(self, body: ast.Pipeline | ast.Module | ast.Policy, scope: Scope) -> None:
        if isinstance(body, ast.Policy):
            self._condition(body.condition, scope)
            for rule in body.rules:
                match rule:
                    case ast.Insert(name=name, before=before):
                        self._mention("node", name, scope.find(name.text, "node"))
                        self._path(before, scope, "port")
                    case ast.Provider():
                        self._provider(rule, scope)
                    case _:
                        self._line(rule, scope)
            return
        if isinstance(body, ast.Module):
            self._types(body.signature)
        for line in body.lines:
            self._line(line, scope)

    def _line(self, line: ast.Line, scope: Scope) -> None:
        match line:
            case ast.Profile(name=text, span=span):
                self._mentions.append(Mention("profile", text, span))
            case ast.Meta(settings=settings):
                self._settings(settings, scope, "meta", None)
            case ast.Node(name=name, kind=kind, signature=signature, settings=settings):
                self._kind(kind, scope)
                self._types(signature)
                self._settings(settings, scope, "node", scope.find(name.text, "node"))
            case ast.Party(name=name, settings=settings):
                self._settings(settings, scope, "party", scope.own(name.text, "party"))
            case ast.Mode(name=name, settings=settings):
                self._settings(settings, scope, "mode", scope.own(name.text, "mode"))
            case ast.Budget(settings=settings):
                self._settings(settings, scope, "budget", None)
            case ast.Record(level=level, settings=settings):
                self._mention("level", level)
                self._settings(settings, scope, "record", None)
            case ast.Flow(start=start, hops=hops):
                self._path(start, scope, "port")
                self._hops(hops, scope)
            case ast.Reaction(events=events, guard=guard, hops=hops, action=action):
                self._events(events, scope)
                self._guard(guard, scope)
                self._hops(hops, scope)
                self._action(action, scope)

    def _tool(self, item: ast.Tool, scope: Scope) -> None:
        self._kind(item.kind, scope)
        self._types(item.signature)
        self._settings(item.settings, scope, "tool", scope.own(item.name.text, "tool"))

    def _provider(self, item: ast.Provider, scope: Scope) -> None:
        block = scope.find(item.name.text, "pool" if item.kind else "provider")
        if block is None or block.item is not item:
            self._mention("kind", item.name)  # a policy's: it stands in for the file's
        self._kind(item.kind, scope)
        for offer in item.offers:
            if isinstance(offer, ast.Use):
                self._mention("engine", offer.name, owner=block, of=made_of(item))
                self._guard(offer.guard, scope)
                self._settings(offer.settings, scope, f"use {made_of(item)} {offer.name.text}", block)
            else:
                self._setting(offer, scope, "provider", block, "")

    def _kind(self, kind: ast.Ref | ast.Call | None, scope: Scope) -> None:
        if kind is None:
            return
        name = kind_of(kind)
        module = scope.find(name.text, "module", "import") if isinstance(kind, ast.Ref) else None
        self._mention(module.sort if module else "kind", name, module)
        for argument in kind.args if isinstance(kind, ast.Call) else ():
            if isinstance(argument, ast.Text):
                self._mentions.append(Mention("callable", argument.text, argument.span, of=name.text))

    def _types(self, signature: ast.Signature | None) -> None:
        for param in (*signature.inputs, *signature.outputs) if signature else ():
            self._mention("type", kind_of(param.type))

    def _hops(self, hops: Iterable[ast.Hop], scope: Scope) -> None:
        for hop in hops:
            self._path(hop.ref, scope, "port")
            self._guard(hop.guard, scope)
            self._settings(hop.settings, scope, "flow", None)

    def _events(self, refs: Iterable[ast.Ref], scope: Scope) -> None:
        subject: tuple[ast.Name, ...] = ()
        for ref in refs:
            if len(ref.parts) > 1:
                subject = ref.parts[:-1]
                self._path(ref, scope, "event")
            else:  # `llm.timeout or error`: a bare event keeps the subject to its left
                *_, mention = self._walk((*subject, *ref.parts), scope, "event")
                self._mentions.append(mention)

    def _action(self, action: ast.Action | None, scope: Scope) -> None:
        if action is None:
            return
        self._mention("verb", action.verb)
        head, sort = action.object.parts[0], _OBJECTS.get(action.verb.text)
        if sort:
            self._mention(sort, head, scope.find(head.text, sort, "import"))
        else:
            self._path(action.object, scope, "port", of=action.verb.text)

    # ---- dotted names

    def _path(self, ref: ast.Ref, scope: Scope, last: Sort, *, of: str = "") -> None:
        self._mentions += self._walk(ref.parts, scope, last, of=of)

    def _walk(self, parts: Sequence[ast.Name], scope: Scope, last: Sort, *, of: str = "") -> Iterator[Mention]:
        """A mention for each part, from the left into nodes and modules. What is no node there is a port of its
        signature, or `last`: a port, an event, a field or a setting.
        """
        head, *rest = parts
        found = scope.find(head.text, "node", "party", "port")
        if found is None and last == "event":
            found = scope.find(head.text, "tool", "import")
        is_subject = found is None and head.text in (*_SUBJECTS, *BOUNDARIES)
        yield Mention("subject" if is_subject else found.sort if found else "node", head.text, head.span, found, of=of)
        owner, path = found, ""
        subject = head.text if is_subject else of
        for part in rest:
            inside = self._declarations.inside(owner) if not path else None
            symbol = inside.own(part.text, "node", "port") if inside else None
            if symbol is None and owner and not path:
                symbol = self._declarations.ports.get((owner, part.text))
            if symbol is None:
                path = f"{path}.{part.text}" if path else part.text
            yield Mention(symbol.sort if symbol else last, part.text, part.span, symbol, owner, of=subject, path=path)
            owner = symbol or owner

    # ---- settings and their values

    def _settings(
        self, settings: ast.Settings | None, scope: Scope, of: str, owner: Symbol | None, above: str = ""
    ) -> None:
        for setting in settings.items if settings else ():
            self._setting(setting, scope, of, owner, above)

    def _setting(self, setting: ast.Setting, scope: Scope, of: str, owner: Symbol | None, above: str) -> None:
        key = setting.key.refs[0]
        path = f"{above}.{setting.key.text}" if above else setting.key.text
        reach = self._declarations.inside(owner) if of == "node" else scope if of in ("mode", "budget") else None
        if len(setting.key.refs) > 1:  # `ingress.audio -> stt.final`: the budget of a path
            for ref in setting.key.refs:
                self._path(ref, scope, "port", of=of)
        elif reach and not above and reach.find(key.parts[0].text, "node"):
            self._path(key, reach, "setting", of=of if of == "budget" else "node")
        else:
            for part in key.parts:
                self._mention("setting", part, owner=owner, of=of, path=path)
        self._value(setting.value, scope, of, owner, path, _NAMES.get(key.parts[-1].text))

    def _value(
        self, value: ast.Value | None, scope: Scope, of: str, owner: Symbol | None, path: str, sort: Sort | None
    ) -> None:
        """What a value names; `sort` is given where it is a name: of something declared, or of a setting."""
        match value:
            case ast.Settings():
                self._settings(value, scope, of, owner, path)
            case ast.List(items=items):
                for item in items:
                    self._value(item, scope, of, owner, path, sort)
            case ast.Ref(parts=(name, *_)) | ast.Call(name=name) if sort == "setting":
                self._mention("setting", name, owner=owner, of=of, path=name.text)
            case ast.Ref() if sort == "node":
                self._path(value, scope, "port", of=of)
            case ast.Ref(parts=(head, *_)) if sort in ("tool", "pool"):
                found = scope.find(head.text, sort, "provider", "import")
                self._mention(found.sort if found else sort, head, found, of=of, path=path)
            case ast.Ref(parts=(head, _, *_)) if head.text in _SUBJECTS:
                self._path(value, scope, "field")
            case ast.Ref(parts=parts):
                for part in parts:
                    self._mention("choice", part, owner=owner, of=of, path=path)
            case ast.Call(name=name, args=args):
                self._mention("choice", name, owner=owner, of=of, path=path)
                for argument in args:
                    if name.text == "file" and isinstance(argument, ast.Text):
                        self._mentions.append(Mention("file", argument.text, argument.span, of=of, path=path))
                    else:
                        self._value(argument, scope, of, owner, path, None)
            case _:
                pass

    # ---- conditions

    def _guard(self, guard: ast.Guard | None, scope: Scope) -> None:
        if guard and guard.condition:
            self._condition(guard.condition, scope)

    def _condition(self, condition: ast.Condition, scope: Scope) -> None:
        match condition:
            case ast.Or(left=left, right=right) | ast.And(left=left, right=right):
                self._condition(left, scope)
                self._condition(right, scope)
            case ast.Not(operand=operand):
                self._condition(operand, scope)
            case ast.Compare(left=left, right=right):
                self._operand(left, scope, right)
                self._operand(right, scope, left)
            case ast.Member(left=left, choices=choices):
                self._operand(left, scope, None)
                for choice in choices.items:
                    if isinstance(choice, ast.Ref):
                        self._operand(choice, scope, left)
            case _:
                self._operand(condition, scope, None)

    def _operand(self, operand: ast.Operand, scope: Scope, other: ast.Operand | None) -> None:
        """One side of a comparison. A bare word names what the field on the `other` side holds: a mode, a party."""
        if not isinstance(operand, ast.Ref):
            return
        head = operand.parts[0]
        field = other.parts[-1].text if isinstance(other, ast.Ref) and len(other.parts) > 1 else ""
        if len(operand.parts) > 1 or head.text in _SUBJECTS:
            self._path(operand, scope, "field")
        elif sort := _FIELDS.get(field):
            self._mention(sort, head, scope.find(head.text, sort))
        else:
            self._mention("choice", head)
