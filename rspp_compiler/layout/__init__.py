"""From a checked graph to tables of integers.

`layout`         the pass: ids, masks, bounds; uses `tables`, `pools`, `control`, `memory`
`tables`         nodes, edges, events, reactions and modes, with their ids
`pools`          slots for payloads, by size
`control`        the most control outputs of one step, counted
`memory`         the bytes of one session
`freeze`         the pass: what the pipeline is, and its hash; uses `resources`, `resolved_plan`
`resources`      the files that a pipeline names
`resolved_plan`  the plan of CONTRACTS §6, as a template
"""
