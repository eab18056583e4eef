"""The proofs on a pipeline's page: times, failures, cancels, data, cost, memory, and what all of it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from rspp_compiler.emit.page import Section, code, section
from rspp_compiler.ir.analysis import Analysis
from rspp_compiler.ir.plan import Frozen

_MS = 1_000_000


def sections(frozen: Frozen) -> Iterator[Section]:
    """One section for each analysis that has something to say."""
    analysis = frozen.layout.analysis
    yield from _times(analysis)
    yield from _failures(analysis)
    yield from _cancel(analysis)
    yield from _flow(analysis)
    yield from _data(analysis)
    yield from _cost(analysis)
    yield section("Memory of a session", "", ("what", "number", "bytes each", "bytes"), (
        (row.what, row.count, f"{row.each_bytes:,}", f"{row.total_bytes:,}") for row in frozen.layout.memory
    ))  # fmt: skip
    yield section(
        "What all this rests on",
        "It holds if these hold. A run that breaks one reports its id.",
        ("id", "says", "from"),
        ((code(one.id), one.text, one.origin) for one in analysis.assumptions),
    )


def _ms(ns: int) -> str:
    return f"{ns / _MS:g} ms"


def _times(analysis: Analysis) -> Iterator[Section]:
    latency = analysis.latency
    yield section(
        "Time to the first output",
        f"Compared with the {latency.limit} of {latency.limit_ns / _MS:g} ms ({latency.limit_origin}).",
        ("way", "begins at", "at most"),
        (
            (
                f"{path.cause or 'as written'}, to {code(path.output)}",
                _ms(path.starts_ns),
                _ms(path.total_ns),
            )
            for path in latency.paths
        ),
    )
    worst = latency.worst
    if worst:
        yield section(
            "The slowest of them",
            "",
            ("after", "at most", "what", "from"),
            (
                (
                    _ms(step.until_ns),
                    _ms(step.ns),
                    f"{step.what} of {code(step.subject)}",
                    step.origin,
                )
                for step in worst.steps
            ),
            "###",
        )
    yield section("When a fallback must begin", "", ("failure", "begins at the latest", "must begin by"), (
        (code(one.cause), _ms(one.starts_ns), _ms(one.latest_ns)) for one in latency.fallbacks
    ), "###")  # fmt: skip


def _failures(analysis: Analysis) -> Iterator[Section]:
    ends = analysis.ends
    yield section("When something fails", "", ("what", "how", "then"), (
        (code(one.node), one.failure, one.end) for one in ends.ends
    ))  # fmt: skip
    yield section("How long anything waits", "", ("who", "for what", "at most", "from"), (
        (code(one.subject), one.what, _ms(one.deadline_ns) if one.deadline_ns else "a person decides", one.origin)
        for one in ends.waits
    ))  # fmt: skip


def _cancel(analysis: Analysis) -> Iterator[Section]:
    yield section("What a cancel reaches", "", ("cancel of", "stops", "flushes", "cannot be taken back"), (
        (
            f"{row.scope.replace('_', ' ')} {code(row.subject)}".strip(),
            ", ".join(f"{code(stop.subject)} {stop.how}" for stop in row.stops),
            ", ".join(map(code, row.flushed)),
            ", ".join(f"{code(one.place)}: {one.what}" for one in row.committed),
        )
        for row in analysis.cancel.rows
    ))  # fmt: skip


def _flow(analysis: Analysis) -> Iterator[Section]:
    yield section("How busy it is", "", ("node", "works on an item for", "of the time"), (
        (code(row.node), _ms(row.work_ns), f"{float(row.utilisation):.1%}") for row in analysis.throughput.nodes
    ))  # fmt: skip
    yield section("What each flow must hold", "", ("flow", "holds", "needs", "because of"), (
        (code(row.edge), f"{row.items} items", f"{row.least} items", row.need)
        for row in analysis.rates.buffers
        if row.least > 1
    ))  # fmt: skip
    text = "What a replay repeats, and what it takes from the recording."
    yield section("Order and inputs", text, ("what", "rule or source"), (
        *((code(one.port), f"{one.rule_id} {one.rule_version}") for one in analysis.determinism.fan_ins),
        *((code(one.input_key), one.source.replace("_", " ")) for one in analysis.determinism.inputs),
    ))  # fmt: skip


def _data(analysis: Analysis) -> Iterator[Section]:
    yield section("Where personal data goes", "", ("class", "from", "to"), (
        (one.payload_class, code(one.source), code(one.port)) for one in analysis.classes.arrivals
    ))  # fmt: skip


def _cost(analysis: Analysis) -> Iterator[Section]:
    cost = analysis.cost
    figures = [
        f"a {what} costs {amount / 1e6:g} usd at most"
        for what, amount in (("turn", cost.turn_microusd), ("minute", cost.minute_microusd))
        if amount
    ]
    if cost.priceless and figures:
        figures.append(f"not counted, since nobody gave a price: {', '.join(map(code, cost.priceless))}")
    yield section("Cost", "; ".join(figures), ("block", "what", "times", "usd"), (
        (code(block.block), f"{term.candidate}, {term.unit}", term.times, f"{term.total_microusd / 1e6:g}")
        for block in cost.blocks
        for term in block.terms
        if term.total_microusd
    ))  # fmt: skip
