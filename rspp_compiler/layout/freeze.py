"""What the pipeline *is*, and its hash (CONTRACTS §6).

The template holds the tables of the plan and the spec behind them: names, kinds, ports, bounds, budgets, reactions with
their conditions, modes, policies, tools, providers with their options, and the content of the files they name. It holds
no secret (only references), no `meta`, no comment, no place in the source, and nothing that only says how a kernel
stores it. Two sources that mean the same have the same hash.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from rspp_compiler.ir.context import Context
from rspp_compiler.ir.dump import to_data
from rspp_compiler.ir.graph import Graph, GraphNode
from rspp_compiler.ir.plan import Frozen, Layout, ProviderBinding
from rspp_compiler.ir.spec import FileRef, SecretRef, SettingValue, TextTemplate, ToolSpec
from rspp_compiler.layout.attempts import places
from rspp_compiler.layout.resolved_plan import resolved_plan
from rspp_compiler.layout.resources import resources
from rspp_compiler.layout.tools import tools
from rspp_compiler.layout.workers import WAITING, concurrency, fairness

DOMAIN = b"rspp.plan.template.v1\0"
# Of the tables: the hash itself, what is only storage, what follows from the rest, and places in the source. `rule` is
# the dump's own word.
_NOT_THE_PIPELINE = ("template_hash", "memory_bytes", "assumptions", "line", "rule")
# Of the spec: places, where values are from, how they were written, and notes for people.
_NOT_THE_MEANING = ("span", "origins", "shown", "implicit", "meta")

# Settings of a node that its provider never sees.
_OF_THE_KERNEL = frozenset({"max_calls"})


def freeze(layout: Layout, ctx: Context) -> Frozen:
    """The canonical plan template and its SHA-256; the layout comes back with the hash in its plan."""
    graph = layout.analysis.graph
    files = resources(graph.spec, ctx)
    bindings = _providers(graph)
    template: dict[str, Any] = {
        "plan": _without(to_data(layout.plan), _NOT_THE_PIPELINE),
        "variants": {one.policy: _without(to_data(one.plan), _NOT_THE_PIPELINE) for one in layout.variants},
        "spec": _without(to_data(graph.spec), _NOT_THE_MEANING),
        "handlers": list(layout.handlers),
        "providers": [
            {"node": binding.node, "provider": binding.provider, "options": binding.options} for binding in bindings
        ],
        "resources": {file.path: file.sha256 for file in files},
    }
    digest = hashlib.sha256(DOMAIN + canonical(template)).hexdigest()
    frozen = replace(layout, plan=replace(layout.plan, template_hash=digest))
    return Frozen(digest, template, resolved_plan(frozen), bindings, files, frozen)


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no blanks: one value, one text."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8")


def _providers(graph: Graph) -> tuple[ProviderBinding, ...]:
    """For each effect node its providers in order, and the settings of the node and of the `use` line in one.

    Behind those of the pipeline as written stand those of each policy and mode that has the node otherwise.
    """
    rows: list[ProviderBinding] = []
    for node in graph.nodes:
        if node.kind == "python" and node.execution == "effect":
            rows.append(ProviderBinding(node.id, "python", _outside(graph, node)))
        if node.execution == "effect":
            for place in places(graph, node):
                keys = sorted(place.settings.keys() - _OF_THE_KERNEL)
                options = {key: _option(place.settings[key]) for key in keys}
                rows.append(ProviderBinding(node.id, place.candidate.name, options))
    return (*rows, *(ProviderBinding(tool.id, "tool", _called(tool)) for tool in tools(graph)))


def _called(tool: ToolSpec) -> dict[str, object]:
    """What runs a tool goes by."""
    return {
        "reference": tool.implementation,
        "name": tool.id,
        "params": tuple((param.name, param.type) for param in tool.params),
        "once": tool.once,
        "soft": tool.cancel == "soft",
    }


def _outside(graph: Graph, node: GraphNode) -> dict[str, object]:
    """What runs a Python node outside of the kernel goes by."""
    spec = node.spec
    options: dict[str, object] = {
        "reference": spec.implementation or "", "place": spec.place, "emissions": spec.emissions_max,
        "concurrency": concurrency(node), "waiting": WAITING,
    }  # fmt: skip
    if key := fairness(graph, node):
        options["fairness"] = key.removeprefix("session.")
    if spec.limit and spec.limit.memory_bytes:
        options["memory_bytes"] = spec.limit.memory_bytes
    return options


def _option(value: SettingValue) -> object:
    """A file is its path, by which the package finds it; a secret and a text with variables stay what they are."""
    if isinstance(value, FileRef):
        return value.file
    if isinstance(value, TextTemplate):
        return {"template": value.template, "variables": value.variables}
    return {"secret": value.secret} if isinstance(value, SecretRef) else value


def _without(value: Any, names: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    return [_without(item, names) for item in value] if isinstance(value, list) else value
