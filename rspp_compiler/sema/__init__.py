"""From the AST to a checked graph. A pass stands here, what it is made of in a room of its own.

`resolve`        every name bound to what it names, modules taken apart: `names`
`layers`         what an environment, a tenant or a session says instead
`apply_profile`  every field filled, each with its origin: `filling`
`validate`       every value checked, the `PipelineSpec`: `validating`
`build_graph`    spec to graph: `graph`
`check`          types, reachability, cycles: `rules`

`index`          AST to symbols and their mentions, for tools; needs no other pass
`effective`      the spec as rows for people: keys, values, origins
`mending`        fixes that know the language

Below them all: `language`, what there is to write, and `reading`, what a written value means.
"""
