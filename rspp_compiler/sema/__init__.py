"""From the AST to a checked graph.

`resolve`        every name bound to what it names, modules taken apart; uses `scope`, `flows`, `reactions`, `policies`
`layers`         what an environment, a tenant or a session says instead
`apply_profile`  every field filled, each with its origin: a `fill_*` for each part; `profile` holds the defaults
`validate`       every value checked: the `PipelineSpec`; a `validate_*` for each part, `owners` of the turns' ends
`build_graph`    spec to graph; `formats` of audio, `variants` for policies
`check`          types, reachability, cycles
`index`          AST to symbols and their mentions, for tools; needs no other pass
`effective`      the spec as rows for people: keys, values, origins

How values are read:

`catalog`        what a kind, a setting, a provider is; `kinds`, `engines`, `events`, `tables` list them
`units`          numbers with units, and back; `values` by the type of their setting, `texts` files and secrets
`fields`         blocks of settings by their tables; `elsewhere` knows where a misplaced key is at home
`edge_fields`    the settings of a flow; `overflow` its order, `tunable` what may be changed from outside
`ranges`         whether a value is within its range, and a file is there
"""
