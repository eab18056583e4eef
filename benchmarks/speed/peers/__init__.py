"""One module for each competitor. Each has `CASES`: what it can measure, by name.

A case is a function of a command (a mapping that came as JSON) and returns a mapping that goes back as JSON. Names end
in their unit: `…_ns`, `…_bytes`; a value is a number, or a list of them when each trial counts. Modules are imported
by the interpreter of their own environment, so none imports another competitor.
"""
