"""Values as written → values in base units, each with its origin.

`fields`       a block of settings by its table; `elsewhere` knows where a misplaced key is at home
`values`       a value by the type of its setting; `texts` those that are files, secrets, templates
`edge_fields`  the settings of a flow; `overflow` its order
`tunable`      what may be changed from outside
`ranges`       whether a value is within its range, and a file is there
"""
