"""What the templates of the package print, except for plan and kernel: everything as text, ready to stand there."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from rspp_compiler import __version__
from rspp_compiler.emit.literal import text
from rspp_compiler.emit.mermaid import mermaid
from rspp_compiler.emit.toolchain import EPOCH
from rspp_compiler.ir.abi import ABI_HASH
from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.plan import Frozen
from rspp_compiler.ir.proofs.latency import PathLatency

RUNTIME = "rspp-runtime>=0.1,<0.2"
ENGINES = {"espeak", "pocketsphinx", "silero", "webrtcvad"}  # each of them an extra of the runtime
FILES = "files"  # the extra with which what was recorded can be asked: `run --wav`


def source_name(frozen: Frozen) -> str:
    """File name of the pipeline's source, without folders: what is generated depends on no machine."""
    return PurePath(frozen.layout.analysis.graph.spec.span.file).name


def package_view(frozen: Frozen) -> dict[str, Any]:
    """One flat view for all templates of the package."""
    plan = frozen.layout.plan
    handlers = _handlers(frozen)
    extras = sorted(_extras(frozen))
    return {
        "pipeline": plan.pipeline,
        "version": plan.pipeline_version,
        "source": source_name(frozen),
        "profile": plan.profile,
        "recording_level": plan.recording_level,
        "template_hash": plan.template_hash,
        "abi_hash": ABI_HASH,
        "compiler": f"rspp-compiler {__version__}",
        "epoch": EPOCH,
        "runtime": RUNTIME,
        "runtime_with_extras": RUNTIME.replace("runtime", f"runtime[{','.join(extras)}]") if extras else RUNTIME,
        "resources": [text(file.path) for file in frozen.resources],
        "handlers": handlers,
        "handler_names": ", ".join(text(handler["class_name"]) for handler in handlers),
    }


def _extras(frozen: Frozen) -> set[str]:
    """What this pipeline needs of the runtime beside itself."""
    plan = frozen.layout.plan
    hears = any(
        edge.source == plan.ingress and plan.nodes[edge.source].outputs[edge.source_port].name == "audio"
        for edge in plan.edges
    )
    return ({binding.provider for binding in frozen.providers} & ENGINES) | ({FILES} if hears else set())


def readme_view(frozen: Frozen) -> dict[str, Any]:
    """The package's README: the graph, and what the compiler promises about it."""
    layout = frozen.layout
    analysis, plan = layout.analysis, layout.plan
    return package_view(frozen) | {
        "mermaid": mermaid(analysis.graph),
        "memory_total": f"{plan.memory_bytes:,} bytes",
        "memory_bytes": f"{plan.memory_bytes:,}",
        "latency_intro": _latency_intro(analysis),
        "latency_tables": _latency_tables(analysis),
        "ends": _ends(analysis),
        "edges": [
            {
                "name": bound.edge,
                "scope": bound.scope,
                "items_max": f"{bound.items_max:,}",
                "bytes_max": f"{bound.bytes_max:,}",
                "age": ms(bound.age_ns_max) if bound.age_ns_max else "",
                "overflow": ", then ".join(
                    f"{step.strategy}({ms(step.block_ns)})" if step.block_ns else step.strategy
                    for step in bound.overflow
                ),
            }
            for bound in analysis.bounds
        ],
        "memory": [
            {
                "what": row.what,
                "count": f"{row.count:,}",
                "each": f"{row.each_bytes:,}",
                "total": f"{row.total_bytes:,}",
            }
            for row in layout.memory
        ],
    }


def ms(ns: int) -> str:
    """`300 ms`; with as many decimals as it takes to be exact."""
    whole, rest = divmod(ns, 1_000_000)
    return f"{whole:,} ms" if not rest else f"{whole:,}.{rest:06d}".rstrip("0") + " ms"


def _ends(analysis: Analysis) -> list[dict[str, str]]:
    """How each failure ends; failures of a node that end alike share a row."""
    failures: dict[tuple[str, str], list[str]] = {}
    for end in analysis.ends.ends:
        failures.setdefault((end.node, end.end), []).append(end.failure)
    return [{"node": node, "failure": " or ".join(names), "end": end} for (node, end), names in failures.items()]


def _latency_intro(analysis: Analysis) -> str:
    if analysis.worst is None:
        return "No path of this pipeline begins at the end of input."
    found = analysis.latency
    limit = f"The {found.limit} is {ms(found.limit_ns)} ({found.limit_origin})"
    slack = ms(found.limit_ns - analysis.worst.total_ns)
    return f"{limit}; the slowest path takes at most {ms(analysis.worst.total_ns)}, so {slack} remain."


def _latency_tables(analysis: Analysis) -> list[dict[str, Any]]:
    """One table for each path; causes with the same path share one."""
    groups: dict[tuple[object, ...], list[PathLatency]] = {}
    for path in analysis.latency.paths:
        groups.setdefault((path.kind, path.output, path.steps), []).append(path)
    return [_latency_table(paths) for paths in groups.values()]


def _latency_table(paths: list[PathLatency]) -> dict[str, Any]:
    path = paths[0]
    causes = " or ".join(f"`{path.cause}`" for path in paths if path.cause)
    title = f"{causes}, to `{path.output}`" if causes else f"to `{path.output}`"
    return {
        "title": f"{title}: at most {ms(path.total_ns)}",
        "rows": [
            {
                "until": ms(step.until_ns),
                "ns": ms(step.ns),
                "what": f"{step.what} of `{step.subject}`",
                "origin": str(step.origin),
            }
            for step in path.steps
        ],
    }


def _handlers(frozen: Frozen) -> list[dict[str, Any]]:
    """The Python nodes: a class name for each, and its ports with types and sizes."""
    graph = frozen.layout.analysis.graph
    rows: list[dict[str, Any]] = []
    for node in graph.of_kind("python"):
        ports = [("in ", port) for port in node.spec.inputs] + [("out", port) for port in node.spec.outputs]
        rows.append(
            {
                "node": node.id,
                "class_name": "".join(part.capitalize() for part in node.id.split("_")),
                "line": node.spec.span.line,
                "implementation": node.spec.implementation or "",
                "emissions_max": f"{node.spec.emissions_max} items",
                "ports": [
                    f"{way} `{port.name}`: {port.type}, at most {port.item_bytes_max:,} bytes" for way, port in ports
                ],
            }
        )
    return rows
