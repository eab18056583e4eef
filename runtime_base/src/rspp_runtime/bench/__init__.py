"""`rspp bench`: what a pipeline costs on this machine, and how many conversations one core of it holds.

    callers ──▶ sessions, through `session.host.converse`, in real time on one event loop ──▶ what they heard
                    │ observed by a meter: steps of the kernel, calls of nodes, answers of providers

`stand_ins`  providers that answer at once and compute nothing: what is left is RSPP's own work
`callers`    people who talk, on time, and notice how late they are served
`meter`      an observer: samples of each stage, the kernel's own time apart from that of nodes
`ramp`       more and more sessions, until one core no longer keeps up
`report`     the figures as text, as data, as a picture (`picture`)
"""
