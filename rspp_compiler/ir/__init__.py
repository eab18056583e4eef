"""What the passes hand to each other.

`ast`       the file as it was written: one class per rule of the grammar
`bound`     the same with every name bound to what it names
`spec`      the pipeline complete and checked: every field filled, each with its origin
`condition` what a guard compares, typed
`symbols`   every name in a file, and what it means
`types`     what flows between ports
`origin`    where a value came from: the user, the profile, or other values
`context`   what every pass may use: the sink, the options, progress
`dump`      any of these as stable JSON

And what is published, as models:

`json_form`   a program as JSON; `bundle_form` what may lie beside it
`contracts`   what the parts of RSPP agree on
`schemas`     the JSON Schemas of all that
"""
