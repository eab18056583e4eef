"""That nothing is heard after a cancel, nothing hangs, and a replay decides the same.

`cancel`       for every scope: what stops, what is flushed, what can no longer be recalled
`ends`         how every failure ends
`fallbacks`    fallbacks that lead back to where they began
`waits`        every wait and its deadline
`pauses`       what is paused and can be resumed
`determinism`  the order of every fan-in, and every input that another run need not repeat
`guards`       whether two conditions can hold at once
`report_*`     E1001 to E1101
"""
