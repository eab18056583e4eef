"""The contracts of docs/contracts.md as models: what every part of RSPP, and whoever reads its output, agrees on.

`rules`            rules that hold between fields, checked and published alike
`event`            §2: the envelope of every event, and event records
`control_signal`   §3: what the kernel signals, and who signs it
`decision_outcome` §4: admitted, rejected, shed
`turn_transition`  §5: the life of a turn
`turn_plan`        §6: the plan that is frozen when a turn opens
`evidence`         §8: the OR-02 record of an accepted turn
`findings`         what `rsppc check --json` prints

The compiler uses none of them to compile: it publishes them as JSON Schemas, and its tests hold its own output and that
of the runtime, against them. The runtime carries the schemas of §2 to §6 and makes its checks of them, so that every
rule is written here and nowhere else (docs/decisions/0027).
"""
