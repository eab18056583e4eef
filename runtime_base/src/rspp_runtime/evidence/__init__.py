"""What a session leaves behind (CONTRACTS §8).

`entries`    what a log consists of, and its JSON-lines form
`segment`    one file of a log: preallocated, memory-mapped, checksummed
`log`        the chain of segments: appended to, read, torn ends tolerated
`writer`     the bounded queue and the thread between a session and its log
`levels`     recording levels: what each keeps, when a session steps down and up
`recorder`   the observer that writes it
`or02`       the record of every turn
`records`    decisions in the contracts' JSON form
`execution`  re-executes a log, entry by entry
`differences`, `report` what differs, by class, and what is proved
`replay`     a whole log at once
`modes`, `cursor` the replay modes; places, steps, going on
`recover`    what the next holder does with a killed session's log
`assumptions` what the compiler's bounds rest on, and which of it a run broke
`plans`      the plans that turns froze
`facts`      what a log says about each turn, for people
`summary`    the table of a turn
`timeline`   the picture of a conversation
"""

from __future__ import annotations
