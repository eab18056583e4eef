"""The application binary interface of a session: everything that crosses between a kernel and its surroundings.

`codes`     numbers with names: operations, signals, reasons, states
`messages`  the tuples that go in (`Inbound`) and come out (`Output`), and the protocol of a session
`plan`      the tables that the compiler lays out and both kernels execute
`lookup`    questions about a plan
`version`   the fingerprint that a generated package checks before its first use
"""

from rspp_runtime.abi.budgets import PathBudget
from rspp_runtime.abi.codes import Cause, Control, In, Op, Result, Signal, Turn, Unit
from rspp_runtime.abi.messages import Emission, Handler, Inbound, Item, Output, Session
from rspp_runtime.abi.plan import (
    Action,
    Assumption,
    Attempts,
    Check,
    Circuit,
    Clock,
    Edge,
    Event,
    Gather,
    Handoff,
    Hook,
    Join,
    Keys,
    Meter,
    Mode,
    Node,
    Overflow,
    Pause,
    Plan,
    Policy,
    Pool,
    Port,
    Price,
    Reaction,
    State,
    Sync,
    Tool,
    Watermark,
)
from rspp_runtime.abi.version import ABI_HASH

__all__ = [
    "ABI_HASH",
    "Action",
    "Assumption",
    "Attempts",
    "Cause",
    "Check",
    "Circuit",
    "Clock",
    "Control",
    "Edge",
    "Emission",
    "Event",
    "Gather",
    "Handler",
    "Handoff",
    "Hook",
    "In",
    "Inbound",
    "Item",
    "Join",
    "Keys",
    "Meter",
    "Mode",
    "Node",
    "Op",
    "Output",
    "Overflow",
    "PathBudget",
    "Pause",
    "Plan",
    "Policy",
    "Pool",
    "Port",
    "Price",
    "Reaction",
    "Result",
    "Session",
    "Signal",
    "State",
    "Sync",
    "Tool",
    "Turn",
    "Unit",
    "Watermark",
]
