"""Many conversations over WebSocket on one core: `benchmarks/serve.py`.

bare     a picows server that sends back what it gets: the ceiling
ours     an rspp server whose voice says what its detector hears: pipelines/echo.rspp, all evidence on
peer     pipecat's own WebSocket transport, with a pipeline that sends back what it gets
run      a server and its clients, step by step, until a frame is late
report   the page and the curves
load     the clients, in a process and on a core of their own
"""
