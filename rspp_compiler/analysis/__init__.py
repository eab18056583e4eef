"""What can be said about a pipeline before it runs, in exact integers.

`analyze`     the pass: all of these, compared with the budgets
`latency`     worst-case time from the end of input to each first output, with the path as witness
`bounds`      the bounds of every edge
`rates`       what comes how often, in which numbers it balances, how much each edge must hold for it
`liveness`    that everything can go on for ever, or who waits for whom
`throughput`  how fast everything can go on, and the loop that decides it
`ends`        what happens when a node fails
"""
