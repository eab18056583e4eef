"""What other tools call settings, by what has them in ours: see `foreign`."""

from __future__ import annotations

from collections.abc import Collection

from rspp_compiler.sema.language.engines import ENGINES
from rspp_compiler.sema.language.foreign import Words, each
from rspp_compiler.sema.language.kinds import PROVIDER_KINDS

_USE = "who performs it stands in a provider block: `provider KIND { use … }`"
_FALLBACK = "the next `use` line is the fallback: `provider KIND { use first, use second }`"
_RETRY = "it belongs to the provider block: `provider KIND { use …, retry = { times = 1, backoff = 50ms } }`"
_BREAKER = (
    "it belongs to the provider block: `provider KIND { use …, circuit = { errors = 5, within = 30s, open = 10s } }`"
)
_BUDGET = "the time to its first output is a budget: `budget { NODE = 500ms }`"
_WAIT = (
    "the deadline of a node is its budget: `budget { NODE = 500ms }`; that of one attempt stands in its provider block"
)
_LIPS = (
    "a voice has word times where its provider does; what must stay in step: `{ sync = { domain = lips } }` on a flow"
)
_PERFORMED: dict[str, str] = {
    **each(_USE, "engine vendor service backend type driver plugin implementation"),
    **each(_FALLBACK, "fallback fallbacks backup secondary candidates alternatives"),
    **each(_RETRY, "retries max_retries attempts max_attempts"),
    **each(_BREAKER, "circuit_breaker breaker"),
    **each(_WAIT, "timeout deadline max_latency"),
    **each(_BUDGET, "budget latency"),
}
_LLM: dict[str, str] = {
    **each("system", "prompt system_prompt instructions instruction system_message persona preamble systemprompt"),
    **each("tools", "functions function_calls function tool plugins skills"),
    **each("max_tokens", "max_output_tokens max_completion_tokens max_length max_new_tokens token_limit"),
    **each("max_calls", "max_tool_calls max_steps max_iterations max_function_calls tool_limit"),
    **each("temperature", "creativity randomness"),
    **each("what is said first is a reaction: `on session.connected -> hello -> voice`", "greeting first_message"),
    **each("a model always streams: there is nothing to switch on", "stream streaming"),
}
_DETECTS: dict[str, str] = {
    **each("min_silence", "silence silence_timeout silence_duration silence_duration_ms stop_secs end_silence hangover "
            "min_silence_duration silence_threshold endpointing trailing_silence"),
    **each("min_speech", "start_secs min_speech_duration speech_duration"),
    **each("idle_after", "idle idle_timeout no_input_timeout silence_after inactivity_timeout"),
}  # fmt: skip
_OWN: dict[str, str] = {
    **each("it stands in `limit`: `limit = { concurrency = 4 }`", "max_concurrency workers parallelism instances"),
    **each("how long a hook may take stands in `hooks`: `hooks = { start = 1s, stop = 1s }`",
           "on_start on_stop setup teardown on_init init start stop"),
}  # fmt: skip
_ENGINES = {name: kind for kind, name in ENGINES}
SETTINGS: dict[str, Words] = {
    "python": {**_OWN, **each("timeout", "deadline max_latency")},
    "grpc": {**_OWN, **each("timeout", "deadline max_latency")},
    "wasm": _OWN,
    "vad": {
        **_PERFORMED,
        **_DETECTS,
        **each("pre_roll", "padding prefix_padding lookback preroll prefix_padding_ms pre_buffer"),
        **each("threshold", "sensitivity confidence aggressiveness probability"),
    },
    "endpointer": {
        **each("min", "min_delay min_silence delay min_endpointing_delay"),
        **each("max", "max_delay timeout max_silence max_endpointing_delay"),
    },
    "stt": {
        **_PERFORMED,
        **each("language", "lang locale languages language_code"),
        **each("diarise", "diarization diarisation speakers speaker_labels"),
        **each("class", "data_class payload_class privacy"),
        **each("partials always come: `stt.partial -> …`", "partials interim_results interim partial streaming stream"),
    },
    "llm": {**_PERFORMED, **_LLM},
    "tts": {
        **_PERFORMED,
        **each("rate", "speed speaking_rate words_per_minute"),
        **each("voice", "voice_id speaker voice_name speaker_id voiceid"),
        **each("language", "lang locale language_code"),
        **each(_LIPS, "visemes viseme lip_sync lipsync word_timestamps timestamps word_times alignment"),
        **each("pieces of text are gathered on the flow: `llm -> voice { handoff = { by = sentence } }`",
                "chunking chunk split sentence buffer streaming stream"),
    },
    "realtime": {
        **_PERFORMED,
        **_LLM,
        **_DETECTS,
        **each("voice", "voice_id speaker voice_name"),
        **each("language", "lang locale"),
    },
    "say": {
        **each("text", "message prompt say phrase content value words speech ssml utterance"),
        **each("interruptible", "interruptable bargeable allow_interruptions allow_barge_in barge_in barge"),
        **each("a text has no voice of its own: the `tts` that its path leads to has", "voice language rate speed"),
    },
    "play": {
        **each("file", "url path src audio source sound uri filename"),
        **each("loop", "repeat loops forever"),
        **each("volume", "gain level loudness"),
        **each("interruptible", "interruptable bargeable allow_interruptions allow_barge_in barge_in barge"),
    },
    "collect": {
        **each("digits", "max_digits num_digits length count size max n number_of_digits min_digits"),
        **each("until", "terminator finish_on_key finish_on end stop end_key terminators terminate_on stop_key key"),
        **each("timeout", "inter_digit_timeout digit_timeout interdigit_timeout wait"),
    },
    "timer": {
        **each("every", "interval period repeat_every each frequency"),
        **each("after", "delay duration timeout in time wait seconds at"),
        **each("the reaction counts: `on NODE.fired when event.count <= 3 -> …`", "repeat count times max repeats"),
    },
    "merge": {
        **each("what flows into it is merged: `a -> NODE`, `b -> NODE`", "inputs sources streams from input source of"),
        **each("within", "window timeout buffer delay wait max_wait tolerance"),
        **each("order", "strategy mode policy by sort order_by"),
    },
    "select": {
        **each("what flows into it is selected from: `a -> NODE`, `b -> NODE`", "inputs sources streams from of"),
        **each("by", "strategy mode policy rule how"),
        **each("within", "window timeout delay wait max_wait"),
    },
    "label": {
        **each("value", "label number as to set id tag mark"),
    },
    "redact": {
        **each("it takes out classes of data, not kinds of words: `classes = [PII]`",
                "pii phi entities types kinds fields patterns categories remove labels"),
        **each("action", "method mode strategy how replacement replace_with"),
    },
    "a flow": {
        **each("how much may wait is `buffer = [64 items, 200ms]`",
                "capacity queue queue_size size max_items depth maxsize max_size limit"),
        **each("what happens when it is full is `overflow = [block(40ms), drop_oldest]`",
                "drop drop_policy on_full on_overflow when_full strategy backpressure policy drop_oldest drop_newest"),
        **each("both marks stand in one block: `watermark = { high = 48 items, low = 16 items }`",
                "high_watermark low_watermark watermarks high low high_water low_water marks"),
        **each("the consumer tells how much it takes: `flow = credit`",
                "credits credit credit_window window credit_flow flow_control"),
        **each("latency", "timeout max_latency deadline max_delay delay"),
        **each("coalesce", "debounce batch throttle batch_ms window_ms"),
        **each("pieces of text are gathered by `handoff = { by = sentence, max_age = 150ms }`",
                "chunk chunking split by segment segmentation sentence"),
        **each("commit_point", "commit committed point_of_no_return"),
        **each("what stays in step shares a domain: `sync = { domain = lips }`",
                "lip_sync lipsync synchronise synchronize synced av_sync"),
        **each("a condition stands behind the node: `a -> b when event.confidence >= 0.6`", "when if condition guard"),
    },
    "a tool": {
        **each("about", "description doc docs help summary desc docstring purpose"),
        **each("background", "async non_blocking nonblocking detached fire_and_forget"),
        **each("once", "idempotent no_retry at_most_once unsafe not_idempotent side_effects"),
        **each("timeout", "deadline max_duration max_time"),
        **each("a tool is not tried again; what then happens is a reaction: `on NODE.error -> …`",
                "retry retries attempts on_error fallback"),
        **each("what is said meanwhile is a reaction: `on NODE.started -> moment -> voice`",
                "filler message say while_running speak_during_execution"),
        **each("arguments stand behind the name: `tool NAME (day : text, seats : number) : …`",
                "args arguments parameters params input inputs schema"),
    },
    "a transfer": {
        **each("to", "number phone target destination address sip uri dest"),
        **each("about", "description doc docs help summary desc"),
        **each("without `warm` the agent leaves at once", "blind cold type mode"),
    },
    "a provider block": {
        **each("who performs it is a `use` line: `use NAME { model = … }`",
                "name engine vendor provider type service backend kind"),
        **each("the next `use` line is the fallback", "fallback fallbacks backup candidates secondary order"),
        **each("write `retry = { times = 1, backoff = 50ms }`", "retries max_retries attempts max_attempts"),
        **each("write `circuit = { errors = 5, within = 30s, open = 10s }`", "circuit_breaker breaker failures"),
        **each("cap", "limits limit quota quotas caps max usage"),
        **each("a price belongs to one provider: `use NAME { price = { minute = 0.0043usd } }`", "cost costs pricing"),
    },
    "timeout": {
        **each("first_chunk", "first first_token first_byte ttfb ttft connect request start first_response total"),
        **each("chunk", "idle between next inter_chunk read stream"),
    },
    "retry": {
        **each("times", "attempts count max max_attempts retries n tries max_retries"),
        **each("backoff", "delay wait interval sleep pause after"),
    },
    "circuit": {
        **each("errors", "failures threshold error_threshold max_failures count failure_threshold"),
        **each("within", "window period per interval"),
        **each("open", "reset cooldown timeout half_open_after reset_timeout sleep recovery for cool_down wait"),
    },
    "cap": {
        **each("turn", "seconds duration time audio"),
        **each("tokens_out", "tokens max_tokens output_tokens completion_tokens"),
        **each("tokens_in", "input_tokens prompt_tokens"),
        **each("chars", "characters letters"),
        **each("calls", "requests count"),
        **each("cost", "money usd price spend"),
    },
    "price": {
        **each("minute", "per_minute minutes min audio_minute"),
        **each("call", "per_call request per_request requests"),
        **each("ktoken_in", "input in prompt input_tokens tokens_in token_in"),
        **each("ktoken_out", "output out completion output_tokens tokens_out token_out"),
        **each("kchar", "characters chars per_character char kchars"),
    },
    "the budget": {
        **each("turn", "latency total response first_audio first_output e2e end_to_end response_time ttfa p95"),
        **each("turn.total", "max_turn turn_total max_duration turn_max whole"),
        **each("cost", "usd price money spend max_cost cost_per_turn dollars"),
        **each("what a provider may use up is its cap: `provider KIND { use …, cap = { session = 10min } }`",
                "session max_tokens tokens session_cost"),
    },
    "record": {
        **each("keep", "retention ttl days keep_for retain expire expires retention_days for"),
        **each("region", "location country storage_region where residency"),
        **each("the level stands before the braces: `record L1 { … }`", "level levels detail mode audio"),
    },
    "a party": each("max", "count members size limit seats"),
    "limit": {
        **each("memory", "ram mem max_memory heap"),
        **each("cpu", "cores cpus threads"),
        **each("concurrency", "workers max_concurrency parallelism instances parallel"),
    },
    "hooks": {
        **each("init", "setup load create on_init on_load warmup"),
        **each("start", "on_start begin"),
        **each("stop", "teardown close shutdown on_stop cleanup dispose"),
    },
    "handoff": {
        **each("by", "chunk unit split at every on"),
        **each("max_age", "timeout max_delay max_wait within after"),
        **each("min_chars", "min_length min_words min"),
    },
    "watermark": {**each("high", "upper max top high_watermark"), **each("low", "lower min bottom low_watermark")},
    "sync": each("domain", "name id with"),
    "a mode": each("off", "disable disabled without exclude drop skip remove turn_off"),
}  # fmt: skip


def setting(of: str, key: str, known: Collection[str]) -> str:
    """What `key` is called in the settings of `of`: one of `known`, or a sentence; empty if nobody knows."""
    name = of.strip("`")
    meant = SETTINGS.get(name, _PERFORMED if name in _ENGINES else {}).get(key.lower(), "")
    if " " not in meant:
        return meant if meant in known else ""
    kind = name if name in PROVIDER_KINDS else _ENGINES.get(name, "KIND")
    return meant.replace("KIND", kind)
