"""What can be said about a pipeline before it runs, in exact integers, each figure with its witness.

`analyze`  the pass: every analysis, on one screen
`latency`  worst-case time to each first output, fallbacks, attempts of providers
`flow`     rates and least buffers, liveness, throughput: synchronous dataflow
`safety`   what a cancel reaches, how every failure ends, what a replay repeats
`data`     where personal data goes, what a turn can cost
`bounds`   the bounds of every edge
`memory`   bytes of a session, and of many
`shared`   what several of them need: reachability, modes, words, fixes
"""
