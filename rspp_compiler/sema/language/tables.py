"""Every block of settings outside of kinds and engines: what may stand in the braces of a flow, a tool, a provider."""

from __future__ import annotations

from functools import cache

from rspp_compiler.sema.language.catalog import CANCEL, HOOK_SETTINGS, LIMIT, MS, STATE, Engine, H, S, Setting, Table
from rspp_compiler.sema.language.kinds import BLOCKS, EVERY_NODE, KINDS

D = 24 * H
NS_MAX = 24 * H
_ITEMS_MAX = 4096
_BYTES_MAX = 16_000_000
_TOKENS_MAX = 10_000_000

# ---- flows

EDGE = Table(
    "a flow",
    (
        Setting("latency", "duration", 1_000, 60 * S, about="the most it may add"),
        Setting("coalesce", "duration", 1 * MS, 10 * S, about="items that come within this time are joined"),
        Setting("flow", "symbol", choices=("signal", "credit", "hybrid"), about="how a full flow tells its producer"),
        Setting("commit_point", "flag", about="what is past here is not taken back"),
    ),
    ("buffer", "overflow", "handoff", "watermark", "lanes", "sync", "fairness"),
)
BUFFER = {
    "buffer_items": Setting("buffer", "count", 1, _ITEMS_MAX, noun="items"),
    "buffer_ns": Setting("buffer", "duration", 1_000, NS_MAX),
    "buffer_bytes": Setting("buffer", "bytes", 1, _BYTES_MAX),
}
BLOCK = Setting("block", "duration", 1_000, 60 * S)
SAMPLE = Setting("sample", "percent", 1, 100)
COALESCE = Setting("coalesce", "symbol", choices=("latest_partial", "concat"))
HANDOFF = Table(
    "`handoff`",
    (
        Setting("by", "symbol", choices=("sentence", "clause", "word"), about="the pieces in which text is released"),
        Setting("max_age", "duration", 1 * MS, 10 * S, about="released at the latest after this"),
        Setting("min_chars", "count", 1, 1000, noun="chars", about="never less than this"),
    ),
)
WATERMARK = Table(
    "`watermark`",
    (
        Setting("high", "count", 1, _ITEMS_MAX, noun="items", about="above this, the producer is told"),
        Setting("low", "count", 0, _ITEMS_MAX, noun="items", about="below this, it may go on"),
    ),
)
LANES = Table(
    "`lanes`",
    (
        Setting("data", "symbol", choices=("block", "drop", "merge", "sample", "latest_only")),
        Setting("telemetry", "symbol", choices=("drop", "sample", "best_effort_drop")),
    ),
)
SYNC = Table(
    "`sync`",
    (
        Setting("domain", "name", required=True, about="items of one domain stand or fall together"),
        Setting("drop", "symbol", choices=("atomic_drop", "drop_with_discontinuity", "no_sync")),
        Setting("group", "symbol", choices=("sync_id", "event_id", "custom")),
        Setting("scope", "symbol", choices=("edge_local", "plan_wide")),
    ),
)

# ---- the whole

BUDGET = Setting("budget", "duration", 1 * MS, NS_MAX)
COST = Setting("cost", "money", 1, 1_000_000_000, about="the most that a turn may cost")
PARTY = Table("a party", (Setting("max", "count", 1, 10_000, about="members at once"),))
RECORD = Table(
    "`record`",
    (
        Setting("keep", "duration", 1 * H, 3650 * D, about="how long recordings are kept"),
        Setting("region", "text", about="where they are kept"),
    ),
)
LIMIT_TABLE = Table("`limit`", LIMIT)
HOOKS_TABLE = Table("`hooks`", HOOK_SETTINGS)
STATE_TABLE = Table("`state`", STATE)

# ---- tools

_ABOUT = Setting("about", "text", about="what the model is told of it")
_TIMEOUT = Setting("timeout", "duration", 1 * MS, 600 * S, about="until it is done")
TOOL = Table(
    "a tool",
    (
        _TIMEOUT,
        Setting("once", "flag", about="never run twice, cancelled or not"),
        Setting("background", "flag", about="the turn goes on; the result proposes a turn of its own"),
        CANCEL,
        _ABOUT,
    ),
)
TRANSFER = Table(
    "a transfer",
    (
        Setting("to", "text", required=True, about="whom to hand over to"),
        Setting("warm", "flag", about="the agent stays until somebody answers"),
        _TIMEOUT,
        CANCEL,
        _ABOUT,
    ),
)

# ---- providers

TIMEOUTS = Table(
    "`timeout`",
    (
        Setting("first_chunk", "duration", 1 * MS, NS_MAX, about="of one attempt, to its first answer"),
        Setting("chunk", "duration", 1 * MS, NS_MAX, about="between chunks after that"),
        Setting("speakable", "duration", 1 * MS, NS_MAX, about="until the first text that can be spoken"),
    ),
)
RETRY = Table(
    "`retry`",
    (
        Setting("times", "count", 0, 8, about="how often one candidate is tried again"),
        Setting("backoff", "duration", 0, 30 * S, about="before it is, and twice as long each further time"),
    ),
)
CIRCUIT = Table(
    "`circuit`",
    (
        Setting("errors", "count", 1, 1000, about="after so many errors"),
        Setting("within", "duration", 1 * MS, 1 * H, about="in this time"),
        Setting("open", "duration", 1 * MS, 1 * H, about="it is left alone for this long"),
    ),
)
CAP = Table(
    "`cap`",
    (
        Setting("turn", "duration", 1 * MS, 1 * H, about="of use in a turn"),
        Setting("session", "duration", 1 * S, 24 * H, about="of use in a session"),
        Setting("tokens_in", "count", 1, _TOKENS_MAX, noun="tokens", about="of a turn"),
        Setting("tokens_out", "count", 1, _TOKENS_MAX, noun="tokens", about="of a turn"),
        Setting("chars", "count", 1, _TOKENS_MAX, noun="chars", about="of a turn"),
        Setting("calls", "count", 1, 1000, about="of a turn"),
        Setting("cost", "money", 1, 1_000_000_000, about="of a turn"),
    ),
)
PRICE = Table(
    "`price`",
    (
        Setting("call", "money", 0, 100_000_000),
        Setting("minute", "money", 0, 100_000_000),
        Setting("kchar", "money", 0, 100_000_000, about="a thousand characters"),
        Setting("ktoken_in", "money", 0, 100_000_000, about="a thousand tokens read"),
        Setting("ktoken_out", "money", 0, 100_000_000, about="a thousand tokens written"),
    ),
)
ACCEPT = Setting("accept", "symbols", choices=("PII", "PHI"), about="classes of data that it may be sent")
FROM_ONSET = ("stt", "vad")  # their first chunk counts from the onset of speech, so no budget of a node bounds it
PROVIDER = Table("a provider block", (ACCEPT,), ("timeout", "retry", "circuit", "cap", "price"))

# ---- nodes and engines


@cache
def node_table(kind: str) -> Table:
    """What a node of that kind takes; `limit`, `hooks`, `state` and `tunable` are read apart."""
    of = KINDS[kind]
    if of.is_boundary:
        return Table(f"`{kind}`", ())
    every = [one for one in EVERY_NODE if one.name != "provider" or of.has_provider]
    of_code = {"hooks": of.has_signature, "state": kind == "python"}
    blocks = tuple(block for block in BLOCKS if of_code.get(block, True))
    return Table(f"`{kind}`", (*of.settings, *every), blocks)


@cache
def tunable_table(kind: str) -> Table:
    """What a tenant or session may be allowed to change: nothing that a proof rests on."""
    of = KINDS[kind]
    fixed = ("class", "place", "max_calls", *(("timeout",) if of.has_signature else ()))
    return Table(f"`{kind}`", tuple(one for one in of.settings if one.name not in fixed))


@cache
def use_table(engine: Engine) -> Table:
    """What a `use` line of that provider takes."""
    return Table(f"`{engine.name}`", (*engine.settings, ACCEPT), ("price",))
