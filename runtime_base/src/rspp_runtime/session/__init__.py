"""Drivers: they own the clock, feed `ingest`, call `advance`, and perform what `drain` asks for.

In the order a conversation flows through it:

`clock`       session time, real or virtual
`virtual`     an event loop whose time jumps (`--fast`)
`gateway`     the one place where input is stamped and measured
`observer`    whoever looks on: the log, the console, the table of a turn
`scopes`      what Python nodes remember, and for how long
`hooks`       what Python nodes do before, after, and when they are interrupted
`playback`    what was played, by media time: the echo reference
`invocation`  one call of a provider, from INVOKE to DONE
`handlers`    the user's Python nodes as the kernel calls them
`activity`    whether anything is still going on
`pump`        steps all sessions of an event loop, and waits for their deadlines
`driver`      one session: what goes in, and what is performed
`going_on`    a session that another process has left
`host`        a session put together from a generated package
"""

from __future__ import annotations
