"""The declarations of a program and the scopes that hold them: the first half of `index`."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence

from rspp_compiler.ir import ast
from rspp_compiler.ir.symbols import Declared, Mention, Symbol
from rspp_compiler.sema.language.kinds import NODE_KINDS

BOUNDARIES = ("ingress", "egress")
_IMPORTABLE: tuple[Declared, ...] = ("module", "tool", "pool", "policy", "provider", "import")

Body = ast.Pipeline | ast.Module | ast.Policy


class Scope:
    """What a pipeline, module, policy or file (`symbol` None) declares. `outer` may know what is not found here."""

    def __init__(self, symbol: Symbol | None, outer: Scope | None) -> None:
        self.symbol = symbol
        self.outer = outer
        self._names: dict[tuple[str, str], Symbol] = {}

    def add(self, symbol: Symbol) -> Symbol:
        """The symbol, or the one that had its name first."""
        return self._names.setdefault((symbol.sort, symbol.name), symbol)

    def own(self, name: str, *sorts: Declared) -> Symbol | None:
        """The symbol of that name here, of the first sort that has one."""
        return next((found for sort in sorts if (found := self._names.get((sort, name)))), None)

    def find(self, name: str, *sorts: Declared) -> Symbol | None:
        """The same, here or further out."""
        found = self.own(name, *sorts)
        return found if found or self.outer is None else self.outer.find(name, *sorts)


class Declarations:
    """Every symbol of a program. `files` are the outermost scopes by file name, `bodies` those of what has lines,
    `ports` the ports that modules and custom nodes declare, `mentions` the places where something is declared.
    """

    def __init__(self, program: ast.Program) -> None:
        files = (*program.files, *program.imported)
        self.files = {file.span.file: Scope(None, None) for file in files}
        self.bodies: list[tuple[Body, Scope]] = []
        self.ports: dict[tuple[Symbol, str], Symbol] = {}
        self.symbols: list[Symbol] = []
        self.mentions: list[Mention] = []
        self._insides: dict[Symbol, Scope] = {}
        items = [(item, file.span.file) for file in files for item in file.items]
        for item, name in items:
            self._item(item, self.files[name])
        for item, name in items:
            if isinstance(item, ast.Import):  # once every file has declared its own
                self._import(item, name)
        for body, scope in self.bodies:
            self._body(body, scope)

    def inside(self, node: Symbol | None) -> Scope | None:
        """The scope of the module that a node is made of; None for any other symbol."""
        if node is None or node.sort != "node" or node.parent is None:
            return None
        module = self._insides[node.parent].find(node.kind, "module")
        return self._insides.get(module) if module else None

    def _declare(self, scope: Scope, sort: Declared, name: ast.Name, item: ast.Item | ast.Line) -> Symbol:
        """A new symbol; the first of its name if it is declared twice."""
        symbol = scope.own(name.text, sort)
        if symbol is None:
            kind = made_of(item)
            names_kind = isinstance(item, ast.Node) and item.kind is None
            symbol = Symbol(sort, name.text, name.span, item.span, kind, scope.symbol, False, names_kind, item)
            self.symbols.append(scope.add(symbol))
        self.mentions.append(Mention(sort, name.text, name.span, symbol, is_declaration=True))
        return symbol

    def _item(self, item: ast.Item, scope: Scope) -> None:
        match item:
            case ast.Pipeline():
                self._open(item, self._declare(scope, "pipeline", item.name, item), scope)
            case ast.Module():
                self._open(item, self._declare(scope, "module", item.name, item), scope)
            case ast.Policy():
                self._open(item, self._declare(scope, "policy", item.name, item), scope)
            case ast.Tool():
                self._declare(scope, "tool", item.name, item)
            case ast.Provider(kind=kind):
                self._declare(scope, "pool" if kind else "provider", item.name, item)
            case ast.Import():
                pass

    def _open(self, body: Body, symbol: Symbol, outer: Scope) -> None:
        scope = Scope(symbol, outer)
        self.bodies.append((body, scope))
        self._insides.setdefault(symbol, scope)

    def _import(self, item: ast.Import, file: str) -> None:
        target = self.files.get(posixpath.normpath(posixpath.join(posixpath.dirname(file), item.path.text)))
        for name in item.names:
            found = target.own(name.text, *_IMPORTABLE) if target else None
            if found is None:
                self._declare(self.files[file], "import", name, item)
            else:
                self.mentions.append(Mention(found.sort, name.text, name.span, found, of="import"))
                self.files[file].add(found)
        self.mentions.append(Mention("file", item.path.text, item.path.span, of="import"))

    def _body(self, body: Body, scope: Scope) -> None:
        lines: Sequence[object] = body.rules if isinstance(body, ast.Policy) else body.lines
        if isinstance(body, ast.Policy):
            pipelines = [of for one, of in self.bodies if isinstance(one, ast.Pipeline)]
            beside = [of for of in pipelines if of.symbol and of.symbol.span.file == body.span.file]
            scope.outer = next(iter(beside), scope.outer)
        elif isinstance(body, ast.Module) and scope.symbol:
            for port in self._signature(scope.symbol, body.signature):
                scope.add(port)
        for line in lines:
            match line:
                case ast.Node(name=name, signature=signature):
                    node = self._declare(scope, "node", name, line)
                    if node.item is line and signature:
                        self._signature(node, signature)
                case ast.Party(name=name):
                    self._declare(scope, "party", name, line)
                case ast.Mode(name=name):
                    self._declare(scope, "mode", name, line)
                case _:
                    pass
        for line in lines:
            match line:
                case ast.Flow(start=start, hops=hops):
                    self._implicit((start, *(hop.ref for hop in hops)), scope)
                case ast.Reaction(hops=hops):
                    self._implicit((hop.ref for hop in hops), scope)
                case _:
                    pass

    def _signature(self, owner: Symbol, signature: ast.Signature) -> list[Symbol]:
        """The ports that a module or a custom node declares."""
        ports = []
        for param in (*signature.inputs, *signature.outputs):
            port = Symbol("port", param.name.text, param.name.span, param.span, parent=owner, item=param)
            if self.ports.setdefault((owner, port.name), port) is port:
                self.symbols.append(port)
            ports.append(self.ports[owner, port.name])
            self.mentions.append(Mention("port", port.name, port.at, ports[-1], owner, is_declaration=True))
        return ports

    def _implicit(self, refs: Iterable[ast.Ref], scope: Scope) -> None:
        """Nodes that a flow declares by naming a kind or a module."""
        for name in (ref.parts[0] for ref in refs):
            if scope.find(name.text, "node", "party", "port") or name.text in BOUNDARIES:
                continue
            if name.text in NODE_KINDS or scope.find(name.text, "module", "import"):
                node = Symbol("node", name.text, name.span, name.span, name.text, scope.symbol, True, True)
                self.symbols.append(scope.add(node))


def made_of(item: object) -> str:
    """The kind of a declaration; a node or a provider block without one is called after it."""
    match item:
        case ast.Node() | ast.Tool() | ast.Provider():
            return kind_of(item.kind).text if item.kind else item.name.text
        case _:
            return ""


def kind_of(kind: ast.Ref | ast.Call) -> ast.Name:
    """The name of `vad` or `python("kb.rag:Find")`."""
    return kind.name if isinstance(kind, ast.Call) else kind.parts[0]
