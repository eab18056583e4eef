"""Plans by hand, so that the runtime is tested without the compiler.

`assistant` is a voice assistant with everything a conversation has: greeting, fallback, captions, a hand-off by
sentence, text beside the voice, a mode without voice. `workshop` has the rest: Python nodes of both scopes, a
recogniser that owns the turn's end, edges that block for ever or are off the common path, reactions of every verb.
`switchyard` has edges with guards, and every strategy of a full edge; `switchboard` is the assistant with several
providers, retries and circuit breakers, and `attendant` is that with guarded reactions and events that decisions
raise; `junction` merges and selects by every rule; `patience` is the assistant that pauses before it lets itself be
interrupted, `tollgate` the one with caps that are reached; `studio` has sync domains, credit and lanes; `keypad` has
keys, buttons, timers and an end-pointer, `typist` no recogniser, and a Python node outside of the kernel; `shop` has a
model that calls tools; in `sorter` every item has a label. Bounds are
small on purpose: queues fill, texts overflow, the conversation forgets.
"""

from __future__ import annotations

from plan_assistant import assistant
from plan_attendant import attendant
from plan_junction import junction
from plan_keypad import keypad, typist
from plan_patience import patience
from plan_shop import shop
from plan_sorter import sorter
from plan_studio import studio
from plan_switchboard import switchboard
from plan_switchyard import switchyard
from plan_tollgate import tollgate
from plan_workshop import workshop
from units import MS

__all__ = [
    "MS",
    "PLANS",
    "assistant",
    "attendant",
    "junction",
    "keypad",
    "patience",
    "shop",
    "sorter",
    "studio",
    "switchboard",
    "switchyard",
    "tollgate",
    "typist",
    "workshop",
]

PLANS = {
    "stub_assistant": assistant,
    "stub_attendant": attendant,
    "stub_junction": junction,
    "stub_keypad": keypad,
    "stub_patience": patience,
    "stub_shop": shop,
    "stub_sorter": sorter,
    "stub_studio": studio,
    "stub_switchboard": switchboard,
    "stub_switchyard": switchyard,
    "stub_tollgate": tollgate,
    "stub_typist": typist,
    "stub_workshop": workshop,
}
