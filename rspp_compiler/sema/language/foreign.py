"""What other tools call things: looked up only when a word is unknown, so that the finding teaches ours.

A value is one of our words, which is put in the place of the other, or a sentence, which is said as help. The language
keeps one word for each thing: nothing here is ever accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Words = Mapping[str, str]


def each(meant: str, words: str) -> dict[str, str]:
    """The same meaning for each of the words."""
    return dict.fromkeys(words.split(), meant)


# ---- kinds of nodes, and what stands in flows without being declared

KINDS: Words = {
    **each("stt", "asr recognizer recogniser transcriber transcription transcribe speech_to_text speech2text listen"),
    **each("tts", "synth synthesizer synthesiser synthesis text_to_speech text2speech speech speak speaker voice"),
    **each("llm", "model chat chat_model agent brain language_model completion assistant lm gpt"),
    **each("vad", "voice_activity voice_activity_detection voice_activity_detector detector silence_detector"),
    **each(
        "endpointer", "endpointing end_pointer turn_detector turn_detection end_of_turn eou semantic_vad smart_turn"
    ),
    **each("realtime", "speech_to_speech speech2speech s2s voice_to_voice multimodal live omni"),
    **each("collect", "keypad dtmf digits gather dtmf_collector keys pinpad"),
    **each("say", "prompt message announce announcement utter phrase response static_text"),
    **each("play", "playback audio_file sound player play_file wav music jingle"),
    **each("timer", "timeout delay interval clock schedule cron alarm wait"),
    **each("merge", "join mixer mix combine concat union zip fan_in funnel"),
    **each("select", "switch choose pick router first_of race best_of vote arbiter"),
    **each("label", "tag mark stamp annotate number"),
    **each("redact", "pii pii_filter redactor redaction mask anonymize anonymise scrub deidentify"),
    **each("tap", "log logger monitor observer debug sink print probe inspect captions subtitles"),
    **each('python("module:Callable")', "custom function func py script processor transform filter map lambda"),
}
ENDS: dict[str, tuple[str, str]] = {  # right of nothing, left of an arrow; right of an arrow
    **dict.fromkeys(
        ("mic", "microphone", "input", "audio_in", "user", "caller", "source", "inbound", "client", "stdin", "audio"),
        ("ingress.audio", "egress.audio"),
    ),
    **dict.fromkeys(
        ("speaker", "speakers", "output", "audio_out", "out", "sink", "outbound", "playback", "stdout", "phone"),
        ("ingress.audio", "egress.audio"),
    ),
    **dict.fromkeys(("keypad", "keys", "dtmf"), ("ingress.dtmf", "")),
    **dict.fromkeys(("text", "chat", "captions", "transcript"), ("ingress.text", "egress.text")),
}

SUBJECTS: Words = {  # of events: a predeclared name, or the kind of the node that tells
    **each("session", "call connection room client conversation participant channel line stream"),
    **each("vad", "user caller human customer speaker mic microphone"),
    **each("tts", "agent bot assistant response answer speech playback output"),
}
MODELS: Words = {  # what names of models begin with, and who makes them
    **each("openai", "gpt o1 o3 o4 chatgpt"),
    **each("anthropic", "claude"),
    **each("llama_cpp", "llama mistral qwen gemma phi"),
    **each("deepgram", "nova"),
    **each("gemini_live", "gemini"),
    **each("openai_realtime", "gpt_realtime realtime"),
}

# ---- ports and events: the first that there is

PORTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("transcript", "transcription", "words", "result", "results"), ("utterance", "transcript", "text")),
    **dict.fromkeys(("text", "finals"), ("utterance", "delta", "transcript", "prompt")),
    **dict.fromkeys(("interim", "partials", "interim_results", "hypothesis"), ("partial",)),
    **dict.fromkeys(("token", "tokens", "chunk", "chunks", "stream", "deltas", "words"), ("delta",)),
    **dict.fromkeys(("response", "answer", "reply", "completion", "message"), ("delta", "final")),
    **dict.fromkeys(("user", "question", "query", "messages"), ("prompt",)),
    **dict.fromkeys(("history", "memory", "documents", "rag", "system"), ("context",)),
    **dict.fromkeys(("voice", "sound", "pcm", "frames", "wav", "media", "samples"), ("audio", "speech")),
    **dict.fromkeys(("digits", "keys", "keypad"), ("dtmf", "text")),
}
MAIN_PORTS = ("in", "out", "input", "output", "default", "main", "data", "value", "src", "dst", "source", "target")

EVENTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("start", "started", "begin", "join", "joined", "open", "opened", "ready", "answered"),
                    ("connected", "started", "turn_open", "playback_started")),
    **dict.fromkeys(("end", "finish", "finished", "complete", "completed", "closed", "success", "result", "finally"),
                    ("done", "playback_completed", "ended", "close", "speech_end")),
    **dict.fromkeys(("hangup", "hang_up", "left", "leave", "disconnect"), ("disconnected", "ended")),
    **dict.fromkeys(("fail", "failed", "failure", "exception", "crash", "crashed", "rejected"), ("error", "abort")),
    **dict.fromkeys(("silence", "no_input", "noinput", "inactivity", "inactive", "quiet"), ("idle", "silence")),
    **dict.fromkeys(("interrupted", "interrupt", "interruption", "user_interrupted", "overlap"), ("barge_in",)),
    **dict.fromkeys(("speaking", "voice_start", "onset", "talking", "user_started_speaking"), ("speech_start",)),
    **dict.fromkeys(("stopped", "speech_stop", "voice_end", "end_of_speech", "eou", "end_of_turn", "turn_end",
                     "user_stopped_speaking"), ("speech_end", "done")),
    **dict.fromkeys(("timed_out", "deadline", "expired"), ("timeout", "fired")),
    **dict.fromkeys(("tick", "elapsed", "ring", "trigger", "triggered", "timeout", "alarm"), ("fired", "timeout")),
    **dict.fromkeys(("spoken", "said", "played", "playback_done", "playback_finished"), ("playback_completed",)),
    **dict.fromkeys(("digit", "key", "keypress", "key_pressed", "digits"), ("dtmf",)),
    **dict.fromkeys(("press", "pressed", "push", "ptt_start", "button", "button_pressed"), ("button_down",)),
    **dict.fromkeys(("release", "released", "ptt_end", "button_released"), ("button_up",)),
    **dict.fromkeys(("cancelled", "canceled"), ("cancel", "playback_cancelled")),
    **dict.fromkeys(("switched", "failover"), ("provider_switch", "fallback")),
}  # fmt: skip

# ---- actions: `end session`, or a sentence; looked up by the verb, or by verb and object

ACTIONS: Words = {
    **each("end session", "hangup hang disconnect close exit quit bye terminate finish end"),
    **each("cancel turn", "interrupt stop halt silence flush clear shut_up cancel barge_in kill truncate"),
    **each("abort turn", "abort fail drop"),
    **each("open turn", "open respond reply answer start_turn begin_turn"),
    **each("end utterance", "commit end_turn end_utterance submit"),
    **each("an utterance begins by itself when something is heard; `open turn` answers without one", "start begin"),
    **each("time passes at a timer: `node later : timer { after = 5s }`, `on later.fired -> …`", "wait sleep delay"),
    **each("the detector tells of silence: `node ears : vad { idle_after = 8s }`, `on ears.idle -> …`", "reset"),
    **each('declare what is said: `node hint : say { text = "…" }`, `-> hint -> voice`', "say speak tell announce"),
    **each('declare what is played: `node tune : play { file = file("…") }`, `-> tune -> egress.audio`', "play"),
    **each('declare whom: `tool desk : transfer { to = "sip:…" }`, `-> call desk`', "transfer escalate forward dial"),
    **each("retries belong to the provider: `provider llm { use …, retry = { times = 1, backoff = 50ms } }`", "retry"),
    **each("what changes is a mode: `mode NAME { llm.system = … }`, `-> enter NAME`", "set use change"),
    **each("to watch what flows by, send it into a `tap`: `llm.final -> tap`", "log print record trace"),
    **each("only tools reach the world outside: `-> call TOOL`", "emit send notify post publish"),
}  # fmt: skip
VERBS: Words = {  # the object stays
    **each("cancel", "stop interrupt kill halt flush clear mute"),
    **each("enter", "goto go switch activate jump mode transition switch_to go_to"),
    **each("degrade", "fallback downgrade"),
    **each("call", "run invoke execute exec tool trigger request"),
    **each("pause", "disable hold suspend freeze"),
    **each("resume", "enable unpause continue unmute"),
    **each("end", "close finish terminate complete hangup disconnect"),
    **each("open", "start begin"),
}

# ---- types

TYPES: Words = {
    **each("text", "string str transcript utterance words json message dict object prompt token tokens"),
    **each("audio", "pcm sound speech wav frames stream media voice samples"),
    **each("event", "signal dtmf key trigger"),
    **each("bytes", "binary blob bytestring buffer image video raw"),
}
ARGUMENTS: Words = {
    **each("text", "string str date datetime time json dict object list enum any char email phone"),
    **each("number", "int integer float double decimal num count money"),
    **each("flag", "bool boolean yesno"),
}
_CALLABLE = 'a Python callable does it: `python("module:callable")`'
TOOLS: Words = {
    **each(_CALLABLE, "http https rest api webhook url fetch graphql openapi mcp function func builtin shell"),
    **each("transfer", "handoff hand_off forward sip phone refer escalate call_transfer handover"),
}


def first(table: Mapping[str, tuple[str, ...]], word: str, known: Iterable[str]) -> str:
    """What `word` is called among `known`; an empty text when the table does not say."""
    offered = set(known)
    return next((meant for meant in table.get(word.lower(), ()) if meant in offered), "")
