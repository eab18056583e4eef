"""The pure twin: `docs/kernel.md` in plain Python, over the plan tables.

It is the definition of the semantics, what a debugger steps through, and what a package runs without a C compiler.
It is slow and obvious on purpose, and shares no code with the compiled kernel. Modules follow the headings of the page:

`state`        what a session remembers
`outputs`      decisions and requests; the fence
`guards`       which items an edge takes
`thinning`     what an edge samples, joins, and tells of its marks
`edges`        bounded rings, hand-off, shedding, back-pressure
`invocations`  starting, cancelling and failing of effect nodes
`hearing`      the end of an utterance, the joined transcript
`reactions`    what the pipeline's `on …` lines do
`turns`        proposing, opening, finishing, ending
`handoff`      leases; another process goes on
`joins`        merges and selects
`timed`        timers, end-pointers, collectors of keys
`moving`       items from edges into nodes and to the transport
`session`      `ingest`, `advance`, `drain`
"""

from rspp_runtime.reference.session import Session

__all__ = ["Session"]
