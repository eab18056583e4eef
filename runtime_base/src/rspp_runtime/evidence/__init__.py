"""What a session leaves behind (CONTRACTS §8).

`entries`    what a log consists of, and its JSON-lines form
`log`        the append-only file: framed, checksummed, torn tails tolerated
`recorder`   the observer that writes it
`or02`       the record of every turn
`records`    decisions in the contracts' JSON form
`replay`     re-executes a log and names the first thing that differs
`assumptions` what the compiler's bounds rest on, and which of it a run broke
`plans`      the plans that turns froze
`facts`      what a log says about each turn, for people
`summary`    the table of a turn
`timeline`   the picture of a conversation
"""

from __future__ import annotations
