"""What can be said about a pipeline before it runs, in exact integers.

`analyze`   the pass: all of these, compared with the budgets
`latency`   worst-case time from the end of input to each first output, with the path as witness
`bounds`    the bounds of every edge
`ends`      what happens when a node fails
"""
