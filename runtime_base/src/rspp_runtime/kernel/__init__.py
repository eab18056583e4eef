"""The compiled kernel: everything of `docs/kernel.md` that does not depend on a pipeline.

A generated package has one block of memory for a session (`Memory`, which begins with a `Core`) and one function for
each of its nodes, edges and reactions. They call what is here: structs, inline functions over them where every item
passes (`.pxd`), plain C functions for what happens a few times in a turn (`.pyx`). No class crosses the boundary.

`codes`        the numbers of the ABI
`state`        the structs of a session
`timers`       one deadline a slot
`items`        payloads: headers, pools of slots, reference counts
`outputs`      the three lanes, decisions, and `drain` with the fence
`edges`        rings, overflow, hand-off, back-pressure
`domains`      the struct of the one that follows
`sync`         edges whose items stand or fall together, or that mark what is missing
`invocations`  effect nodes: feeding, finishing, cancelling, failing
`hearing`      from the end of an utterance to its text
`context`      what was said: the conversation, and the turn's spoken text
`egress`       pacing, and the ledger of what was heard
`cancels`      the structs of the two that follow
`pauses`       holding playback back, and going on where it stopped
`stopping`     soft cancels: a segment may end first
`turns`        proposing, opening, ending a turn; the end of the session
`handoff`      another process goes on
`gateway`      `ingest`
`inbox`        the control inputs that wait, one by one
`reactions`    what a reaction can do
`user_nodes`   Python kernel nodes
`planhash`     the hash of a turn's frozen plan
`session`      the block's first moment; the deadline that `advance` returns; `stats`
"""
