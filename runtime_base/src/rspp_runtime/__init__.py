"""rspp-runtime: what a compiled pipeline needs to live.

In the order a call flows through it:

`abi`         the words both sides speak: plan tables, messages in and out, signals, codecs
`kernel`      the compiled primitives that a generated `_kernel.pyx` is made of
`reference`   the pure twin: the same plan tables executed in plain Python; the definition of the semantics
`session`     drivers: they own the clock, feed `ingest`, call `advance`, perform what `drain` asks for
`providers`   speech and language engines behind one contract
`transports`  where audio and text come from and go to
`evidence`    the log, the record of every turn, replay
`cli`         the command `rspp`
"""

__version__ = "0.1.0"
