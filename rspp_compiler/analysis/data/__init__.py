"""Where personal data goes, and what a turn can cost.

`classes`   payload classes along every flow, path, mode and provider
`spread`    how a class goes on from node to node
`cost`      the ceiling of a turn and of a minute
`runs`      how often a node can be set going in a turn
`report_*`  E1111 to E1203
"""
