"""Names → what they name: the parts of `resolve`, and of `index`.

`items`       what stands at the top of the files
`scope`       the names of one body; `scopes` whether a node belongs to hearing or to a turn
`modules`     each use bound as an instance, by its `signatures`
`flows`       `a -> b -> c` to edges; `reactions` events and verbs; `conditions` what guards read
`offers`      provider blocks, `use` lines, tools; `custom` what their own code is
`blocks`      parties, modes, budgets; `policies` what differs for some sessions
`unknown`     names that mean nothing; `unknown_reactions` events and verbs
`index_scope` declarations and the scopes that hold them
"""
