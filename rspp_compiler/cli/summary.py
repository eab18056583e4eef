"""What `rsppc check` says of a pipeline without a mistake: its figures, what they rest on, what cannot be run yet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from rspp_compiler.driver import Result
from rspp_compiler.ir.plan import Layout
from rspp_compiler.ir.proofs.assumptions import Assumption

_MS = 1_000_000
_WORDS = {
    "first_output": "first output",
    "chunk": "between outputs",
    "age": "waiting",
    "handoff": "held back",
    "work": "work on an item",
    "rate": "one item every",
    "item": "largest item",
    "timeout": "timeout",
    "delay": "delay",
}
_WIDTH = 118


def summary(result: Result, sessions: int) -> str:
    """The text for one pipeline, with a final newline; "" for one that has errors.

    voice_assistant: 8 nodes, 8 edges; first output after 1750 ms at worst, of 2000 ms; 502 kB a session
      holds if  first output     llm 800 ms, stt 300 ms, voice 300 ms
    """
    if not result.ok or result.stage("spec") is None:
        return ""
    return "".join(f"{line}\n" for line in _lines(result, sessions))


def _lines(result: Result, sessions: int) -> Iterator[str]:
    yield _figures(result)
    analysis = result.stage("analysis")
    if analysis is not None:
        yield from _assumptions(analysis.assumptions)
    layout = result.stage("layout")
    if layout is not None:
        yield from _memory(layout, sessions)
    frozen = result.stage("plan")
    if frozen is not None:
        from rspp_compiler.layout.target import missing

        if found := list(dict.fromkeys(one.what for one in missing(frozen))):
            yield from _wrapped("  note      ", f"the runtime of this version cannot run {', '.join(found)} yet")


def _memory(layout: Layout, sessions: int) -> Iterator[str]:
    from rspp_compiler.analysis.memory import memory

    found = memory(layout, sessions)
    if sessions > 1:
        yield f"  memory    {sessions:,} sessions take {found.total_bytes / 1e6:,.1f} MB"
    if found.untold:
        names = ", ".join(found.untold)
        yield from _wrapped("  note      ", f"without what {names} take: they declare no `limit = {{ memory = … }}`")


def _figures(result: Result) -> str:
    spec, analysis, layout = (result.stage(name) for name in ("spec", "analysis", "layout"))
    flows = len(spec.edges) + sum(len(reaction.path) for reaction in spec.reactions)
    words = [f"{spec.name}: {len(spec.nodes)} nodes, {flows} edges"]
    if analysis is not None and analysis.worst is not None:
        worst, limit = analysis.worst.total_ns // _MS, analysis.latency.limit_ns // _MS
        words.append(f"first output after {worst} ms at worst, of {limit} ms")
    if layout is not None:
        words.append(f"{layout.memory_bytes_max / 1000:.0f} kB a session")
    return "; ".join(words)


def _assumptions(found: tuple[Assumption, ...]) -> Iterator[str]:
    """What the figures rest on, by kind. A run that breaks one names it."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for one in found:
        limit = f"{one.limit} B" if one.kind == "item" else f"{one.limit / _MS:g} ms"
        kinds[one.kind].append(f"{one.subject} {limit}")
    for index, (kind, words) in enumerate(kinds.items()):
        head = "  holds if  " if index == 0 else " " * 12
        yield from _wrapped(f"{head}{_WORDS[kind]:<16} ", ", ".join(words))


def _wrapped(head: str, text: str) -> Iterator[str]:
    """Text behind a head, further lines indented alike."""
    line = head
    for word in text.split(" "):
        if len(line) + len(word) > _WIDTH and line.strip() and line != head:
            yield line.rstrip()
            line = " " * len(head)
        line += f"{word} "
    yield line.rstrip()
