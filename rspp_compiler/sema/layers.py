"""layers: values from outside of the pipeline's file → settings that override its own.

Defaults (the profile) → the pipeline's file → environment → tenant → session; the last two may only touch what the
pipeline declares `tunable`, within its bounds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from rspp_compiler.diagnostics import Fix
from rspp_compiler.diagnostics.fixes import remove
from rspp_compiler.ir import ast
from rspp_compiler.ir.bound import Bound, BoundNode
from rspp_compiler.ir.context import Context, Layer
from rspp_compiler.sema.language.engines import engine
from rspp_compiler.sema.language.tables import RECORD, TOOL, TRANSFER, node_table, use_table
from rspp_compiler.sema.language.units import show
from rspp_compiler.sema.reading.tunable import read_tunable
from rspp_compiler.sema.reading.values import listed, read, suggest

_Settings = tuple[ast.Setting, ...]
_TEXTS = ("text", "texts", "file", "secret")
_FIXED = ("scope", "tunable")  # what a node is: no layer changes it


def layers(bound: Bound, ctx: Context) -> Bound:
    """`llm.temperature = 0.2` in a layer becomes the last setting of `llm`, and so wins."""
    if not ctx.options.layers:
        return bound
    pipeline = _Pipeline(bound, ctx)
    for layer in ctx.options.layers:
        ctx.sources[layer.source.name] = layer.source
        for override in layer.overrides:
            pipeline.apply(layer, override)
    return pipeline.bound()


class _Pipeline:
    """What can be set from outside, by the words that reach it."""

    def __init__(self, bound: Bound, ctx: Context) -> None:
        self._bound = bound
        self._ctx = ctx
        self._nodes = {node.id: node for node in bound.nodes}
        self._settings: dict[tuple[str, ...], list[ast.Setting]] = {}
        self._edges = {alias: edge.id for edge in bound.edges for alias in self._names_of(edge.id)}
        self._level: ast.Name | None = None

    # ---- one override

    def apply(self, layer: Layer, override: ast.Override) -> None:
        """Puts one value where it belongs; reports it where nothing is called so."""
        words = [name.text for name in override.path]
        head, *rest = words
        if at := self._edge_at(words):
            self._put(layer, override, ("edge", self._edges[_spaced(".".join(words[:at]))]), at)
        elif (at := self._node_at(words)) and at < len(words):
            self._of_node(layer, override, ".".join(words[:at]), at)
        elif head == "budget" and rest:
            self._of_budget(layer, override)
        elif head == "record" and rest == ["level"]:
            self._record_level(layer, override)
        elif head == "record" and len(rest) == 1:
            self._put(layer, override, ("record",), 1, is_text=_takes_text(RECORD.by_name.get(rest[0])))
        elif head == "tool" and len(rest) == 2 and any(tool.id == rest[0] for tool in self._bound.tools):
            setting = {**TRANSFER.by_name, **TOOL.by_name}.get(rest[1])
            self._put(layer, override, ("tool", rest[0]), 2, is_text=_takes_text(setting))
        elif head == "party" and len(rest) == 2 and any(party.id == rest[0] for party in self._bound.parties):
            self._put(layer, override, ("party", rest[0]), 2)
        elif head == "provider" and len(rest) > 1 and any(block.id == rest[0] for block in self._bound.providers):
            self._of_provider(layer, override, rest)
        else:
            self._unknown(override, words)

    def _node_at(self, words: list[str]) -> int:
        """How many words, at most, are a node's id; 0 if none are."""
        return next((at for at in range(len(words), 0, -1) if ".".join(words[:at]) in self._nodes), 0)

    def _edge_at(self, words: list[str]) -> int:
        """How many words are an edge's id, before its setting; 0 if none are. Its dots part words, unless in quotes."""
        longest = range(len(words) - 1, 0, -1)
        return next((at for at in longest if _spaced(".".join(words[:at])) in self._edges), 0)

    def _of_node(self, layer: Layer, override: ast.Override, id: str, at: int) -> None:
        node = self._nodes[id]
        key = override.path[at].text
        setting = node_table(node.kind).by_name.get(key)
        if key in _FIXED:
            message = f"`{key}` of `{id}` cannot be changed from outside"
            self._refuse("E0316", override, message, f"set it where `{id}` is declared", node)
        elif layer.name == "environment" or self._is_tunable(layer, override, node, key):
            self._put(layer, override, ("node", id), at, is_text=_takes_text(setting))

    def _of_budget(self, layer: Layer, override: ast.Override) -> None:
        """`budget.turn`, `budget.turn.total`, `budget.to_en.llm`, `budget."ingress.audio -> stt.final"`."""
        path = _spaced(".".join(name.text for name in override.path[1:]))
        if "->" not in path:
            self._put(layer, override, ("budget",), len(override.path) - 1, dotted=True)
            return
        known = {_spaced(budget.setting.key.text): at for at, budget in enumerate(self._bound.path_budgets)}
        if path in known:
            self._put(layer, override, ("path", str(known[path])), len(override.path) - 1)
            return
        help = "a layer changes the budgets of paths that the pipeline has"
        self._refuse("E0316", override, f"no budget for the path `{path}`", help)

    def _of_provider(self, layer: Layer, override: ast.Override, words: list[str]) -> None:
        """`provider.stt.timeout.first_chunk`, `provider.stt.use.deepgram.model`."""
        block = next(block for block in self._bound.providers if block.id == words[0])
        if words[1] != "use":
            self._put(layer, override, ("provider", block.id), 2)
            return
        names = [use.name for use in block.uses]
        if len(words) < 4 or words[2] not in names:
            nearest = suggest(words[2], names) if len(words) > 2 else ""
            help = f"did you mean `{nearest}`?" if nearest else f"it uses {listed(names)}"
            self._refuse("E0316", override, f"provider `{block.id}` has no such `use` line", help)
            return
        of = engine(block.kind, words[2])
        setting = use_table(of).by_name.get(words[3]) if of else None
        is_text = _takes_text(setting) or (setting is None and isinstance(override.value, ast.Ref))
        self._put(layer, override, ("use", block.id, words[2]), 4, is_text=is_text)

    def _record_level(self, layer: Layer, override: ast.Override) -> None:
        if not self._may_change(layer, override, "the recording"):
            return
        value = override.value
        if isinstance(value, ast.Ref) and value.text in ("L0", "L1", "L2"):
            self._level = ast.Name(value.text, value.span)
            return
        fix = remove(self._ctx.source(override.span), override.span)
        self._ctx.sink.add(
            "E0307", "a recording level is `L0`, `L1` or `L2`", value.span, help='write `level = "L1"`', fix=fix
        )

    def _put(
        self,
        layer: Layer,
        override: ast.Override,
        target: tuple[str, ...],
        at: int,
        *,
        is_text: bool = False,
        dotted: bool = False,
    ) -> None:
        """Adds a setting to what `target` names: the words from `at` on are its key, and keys of blocks inside it."""
        if target[0] != "node" and not self._may_change(layer, override, " ".join(target)):
            return
        value = _meant(override, is_text)
        names = override.path[1:] if dotted else override.path[at:]
        if dotted:
            key = ast.Ref(names, names[0].span)
            self._settings.setdefault(target, []).append(_setting((key,), value, override))
            return
        self._settings.setdefault(target, []).append(_nested(names, value, override))

    # ---- what a tenant or a session may change

    def _may_change(self, layer: Layer, override: ast.Override, what: str) -> bool:
        if layer.name == "environment":
            return True
        message = f"a {layer.name} cannot change {what}"
        self._refuse("E0317", override, message, "only settings of nodes can be declared `tunable`")
        return False

    def _is_tunable(self, layer: Layer, override: ast.Override, node: BoundNode, key: str) -> bool:
        """Whether the pipeline lets a tenant or session change the setting, and to this value."""
        written = next((one for one in reversed(node.settings) if one.key.text == "tunable"), None)
        setting = node_table(node.kind).by_name.get(key)
        allowed = {one[0]: one for one in read_tunable(written, node.kind, self._ctx)} if written else {}
        if setting is None or setting.field not in allowed:
            message = f"`{key}` of `{node.id}` is not tunable: a {layer.name} cannot change it"
            help = f"declare it: `node {node.id} {{ tunable = [{key}] }}`" if setting else ""
            self._refuse("E0317", override, message, help or "remove it", node)
            return False
        value = _meant(override, _takes_text(setting))
        number = read(setting, value, override.span, self._ctx)
        _, low, high, span = allowed[setting.field]
        if not isinstance(number, int | float) or low is None or high is None or low <= number <= high:
            return number is not None
        nearest = show(setting, min(max(number, low), high))
        self._ctx.sink.add(
            "E0318",
            f"`{key} = {show(setting, number)}` lies outside of what a {layer.name} may choose",
            value.span,
            secondary=[(span, f"from {show(setting, low)} to {show(setting, high)}")],
            help=f"write `{nearest}`",
            fix=Fix(value.span, nearest),
        )
        return False

    # ---- findings

    def _unknown(self, override: ast.Override, words: list[str]) -> None:
        path = ".".join(words)
        known = [*self._nodes, *self._edges, *(f"provider.{block.id}" for block in self._bound.providers)]
        known += [*(f"tool.{tool.id}" for tool in self._bound.tools), "budget.turn", "record.keep"]
        known += ["budget.turn.total", "budget.turn.pause", "budget.turn.apology"]
        owner = ".".join(words[:-1]) or words[0]
        nearest = suggest(owner, known)
        help = f"did you mean `{nearest}`?" if nearest else f"its nodes are {listed(self._nodes)}"
        fix = None
        if nearest and len(words) == 2:
            fix = Fix(override.path[0].span, f'"{nearest}"' if "->" in nearest else nearest)
        self._refuse("E0316", override, f"the pipeline has nothing that `{path}` names", help, fix=fix)

    def _refuse(
        self,
        code: str,
        override: ast.Override,
        message: str,
        help: str,
        node: BoundNode | None = None,
        fix: Fix | None = None,
    ) -> None:
        """Reports an override that changes nothing; at worst it goes."""
        at = override.path[0 if code == "E0316" and not node else -1].span
        secondary = [(node.span, "declared here")] if node else []
        fix = fix or remove(self._ctx.source(override.span), override.span)
        self._ctx.sink.add(code, message, at, secondary=secondary, help=help, fix=fix)

    def _names_of(self, edge: str) -> Iterable[str]:
        """`ears.speech -> stt.audio` is also `ears -> stt`, `ears.speech -> stt` and `ears -> stt.audio`."""
        source, target = edge.split(" -> ")
        for first in (source, source.rpartition(".")[0]):
            for second in (target, target.rpartition(".")[0]):
                yield f"{first} -> {second}"

    # ---- the whole

    def bound(self) -> Bound:
        """The pipeline with every override behind the settings that it overrides."""
        bound = self._bound
        if not self._settings and self._level is None:
            return bound
        budgets = [
            replace(budget, setting=self._merged(("path", str(at)), (budget.setting,))[-1])
            for at, budget in enumerate(bound.path_budgets)
        ]
        return replace(
            bound,
            nodes=tuple(replace(one, settings=self._merged(("node", one.id), one.settings)) for one in bound.nodes),
            edges=tuple(replace(one, settings=self._merged(("edge", one.id), one.settings)) for one in bound.edges),
            tools=tuple(replace(one, settings=self._merged(("tool", one.id), one.settings)) for one in bound.tools),
            parties=tuple(
                replace(one, settings=self._merged(("party", one.id), one.settings)) for one in bound.parties
            ),
            budget=self._merged(("budget",), bound.budget),
            path_budgets=tuple(budgets),
            record=self._record(),
            providers=tuple(
                replace(
                    block,
                    settings=self._merged(("provider", block.id), block.settings),
                    uses=tuple(
                        replace(use, settings=self._merged(("use", block.id, use.name), use.settings))
                        for use in block.uses
                    ),
                )
                for block in bound.providers
            ),
        )

    def _record(self) -> ast.Record | None:
        record = self._bound.record
        own = record.settings.items if record and record.settings else ()
        merged = self._merged(("record",), own)
        if self._level is None and merged == own:
            return record
        span = record.span if record else (self._level or merged[0]).span
        level = self._level or (record.level if record else ast.Name("L0", span))
        return ast.Record(level, ast.Settings(merged, span), span)

    def _merged(self, target: tuple[str, ...], settings: _Settings) -> _Settings:
        found = self._settings.get(target)
        return _with(settings, found) if found else settings


def _with(settings: _Settings, overrides: Iterable[ast.Setting]) -> _Settings:
    """The settings with the overrides behind them; a block keeps the keys that its override does not name."""
    merged = list(settings)
    for override in overrides:
        before = next((one for one in reversed(merged) if one.key.text == override.key.text), None)
        if before and isinstance(before.value, ast.Settings) and isinstance(override.value, ast.Settings):
            items = _with(before.value.items, override.value.items)
            override = replace(override, value=replace(override.value, items=items))
        merged.append(override)
    return tuple(merged)


def _nested(names: tuple[ast.Name, ...], value: ast.Value, override: ast.Override) -> ast.Setting:
    """`timeout.first_chunk` is `timeout = { first_chunk = … }`."""
    inner: ast.Value = value
    for name in reversed(names[1:]):
        inner = ast.Settings((_setting((ast.Ref((name,), name.span),), inner, override),), override.span)
    return _setting((ast.Ref(names[:1], names[0].span),), inner, override)


def _setting(refs: tuple[ast.Ref, ...], value: ast.Value, override: ast.Override) -> ast.Setting:
    return ast.Setting(ast.Key(refs, refs[0].span), value, override.span)


def _meant(override: ast.Override, is_text: bool) -> ast.Value:
    """The reading that the setting wants: a text stands for itself, unless it refers to a file or a secret."""
    value = override.value
    refers = isinstance(value, ast.Call) and value.name.text in ("file", "secret")
    return override.text if is_text and not refers else value


def _takes_text(setting: object) -> bool:
    return getattr(setting, "type", "") in _TEXTS


def _spaced(path: str) -> str:
    """A path with one blank around each arrow."""
    return " -> ".join(part.strip() for part in path.split("->"))
