"""Rates, liveness and throughput: what comes how often, that it can go on for ever, and how fast.

`rates` `liveness` `throughput`  the analyses
`traffic`                        what all three start from, made once
`streams`                        the clock of every stream
`network`                        the graph of one clock as actors and channels
`sdf`                            balance equations, and the execution of a round
`buffers` `capacity`             the least that each edge must hold
`blocks`                         what lies on circles with each other
`forks` `circles`                who waits for whom
`loops` `cycle_ratio`            the bottleneck
`report_*`                       E0510 to E0526
"""
