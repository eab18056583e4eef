"""From the AST to a checked graph.

`resolve`        every name bound to what it names; uses `scope`, `unsupported`
`apply_profile`  every field filled, each with its origin; uses `profile`, `fields`, `values`
`validate`       every value checked: the `PipelineSpec`
`build_graph`    spec to graph
`check`          types, reachability, cycles
`index`          AST to symbols and their mentions, for tools; needs no other pass
`catalog`        the kinds of node and the providers there are: ports, events, settings
"""
