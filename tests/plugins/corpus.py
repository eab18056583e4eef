"""Texts for tests of the front end: every pipeline file of the project, and one that holds the whole language."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]

# Every construct of the grammar; it means nothing.
WHOLE_LANGUAGE = """
import clean_audio, other from "lib/audio.rspp" version "1.2.0"
module clean version "1.0.0" (raw : audio) -> (out : audio) { raw -> denoise -> out }
tool book (day : text, seats : number) : python("bookings:book") { timeout = 3s, once, cancel = soft }
tool desk : transfer { to = "sip:desk@example.com", warm }
provider local : llm { use llama_cpp { model = "small.gguf" } }
policy clinic when session.tenant == "clinic" and not (event.digit in ["*", "9"] or session.age > 3) {
  node     mask : redact { classes = [PHI], action = drop }
  insert   mask before llm.prompt
  provider stt { use whisper when session.region == "eu" { model = "small" }, use deepgram }
}
pipeline all version "1.0.0" {
  profile simple/v1
  party guests { max = 12 }
  record L1 { keep = 7d, region = "eu" }
  meta { owner = "a", note = \"\"\"
    long "quoted" text
    \"\"\" }
  node find (question : text) -> (prompt : text(PII)) : python("kb.rag:Find") {
    timeout = 250ms
    limit   = { concurrency = 8, cpu = 50%, memory = 512MB }
  }
  node gate (a : audio(16kHz, mono, s16le)) -> (b : audio) : wasm("gate.wasm") { gain = -6dB, cost = 0.05usd, }

  stt -> de when event.language == "de" and event.confidence >= 0.6
  stt -> en otherwise
  ears.speech
    -> stt {                      # a comment
      buffer = [64 items, 400ms, 128kB], overflow = [block(40ms), drop_oldest]
      lanes  = { telemetry = sample }
    }
  on ears.barge_in
     when event.words >= 2 -> cancel turn
  on llm.timeout or error
     or stt.error -> sorry -> voice
  mode billing { llm.system = file("prompts/billing.md"), llm.tools = [refund] }
  budget { turn = 2s, turn.total = 120s, ingress.audio -> stt.final = 700ms, cost = 0.05usd }
}
"""


def files(*folders: str) -> tuple[Path, ...]:
    """Every pipeline file below the folders, sorted."""
    return tuple(path for folder in folders for path in sorted((ROOT / folder).rglob("*.rspp")))


def read(path: Path) -> str:
    """The text, exact to the character: line ends are not translated."""
    return path.read_bytes().decode("utf-8-sig")


# Texts that can be read without a mistake in their syntax.
SOUND = (*(read(path) for path in files("pipelines")), WHOLE_LANGUAGE)
