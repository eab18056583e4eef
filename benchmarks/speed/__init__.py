"""The speed of what `rsppc` generates, beside its peers, in one interleaved run (docs: benchmarks/README.md).

In the order of a run:

`run`       the command: prepares, measures in rounds, writes the report
`prepare`   builds the pipelines with `rsppc` and the floor with the flags that users get
`cases`     what is measured: one row for each competitor and figure
`process`   a competitor's process, as the runner sees it
`worker`    the same process from inside
`peers`     one module for each competitor
`clocks`    what competitors measure with, so that all of them measure alike
`figures`   what the measurements say: goals, units, ratios
`verdicts`  whether a goal holds, and by how much
`report`    RESULTS.md
`plots`     one picture a figure
`machine`   what it ran on
"""
