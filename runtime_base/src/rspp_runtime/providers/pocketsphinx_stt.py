"""Offline speech recognition with PocketSphinx and a language model made from the dialogue (modality stt).

Open dictation is beyond PocketSphinx; a dialogue is not. The sentences of the dialogue file, and those that the
pipeline adds, become a trigram model (ARPA); common English words beside them (`background_words`) catch what is
outside, so that a question about something else comes out as just that, and is answered with "not understood".

Settings: `script` (a dialogue file; absent: the built-in one), `sentences` (a list of more sentences), `sessions_max`
(utterances recognised at once, default 4). Only English is bundled: another `language` is refused.

Input port `audio` (PCM s16le mono 16 kHz, any item length). Output ports: `partial` whenever the text changed, and one
`final` when the input ends; it is empty only if no word was heard.

A decoder serves one utterance at a time; they are made from one dictionary and model on disk and pooled. Decoding costs
about 1 ms for 20 ms of audio and holds the interpreter's lock, so a thread would gain nothing: it runs inline, giving
way to other tasks between items. The slow second pass (40 ms at the end of a sentence) is off: with a model this small
it changes no word. A decoder is settled after each utterance, so that the same audio gives the same text.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pocketsphinx
from pocketsphinx.lm import ArpaBoLM

from rspp_runtime.providers.background_words import BACKGROUND_WORDS
from rspp_runtime.providers.contract import Invocation, Outcome, ProviderError
from rspp_runtime.providers.dialogue import BUILT_IN, BUILT_IN_NAME, parse_dialogue, sentences
from rspp_runtime.providers.matching import FILLERS, spoken_words
from rspp_runtime.providers.options import Options, bad_setting
from rspp_runtime.providers.pronounce import dictionary_lines, read_dictionary

log = logging.getLogger("rspp.providers.pocketsphinx")

SAMPLE_RATE_HZ = 16_000
DOMAIN_COPIES = 4  # how much likelier a sentence of the dialogue is than a background word
PARTIAL_EVERY_BYTES = 3200  # look for a new partial after each 100 ms of audio
SETTLE_BYTES = 6400  # 200 ms of silence
QUEUE_S_MAX = 0.25  # an utterance that waits longer for a decoder is over its budget anyway
_DICTIONARIES: dict[str, dict[str, list[str]]] = {}  # the bundled one is read once a process


class PocketSphinx:
    """Recognises utterances; at most `sessions_max` at once."""

    modality = "stt"

    def __init__(self, domain: list[str], sessions_max: int = 4) -> None:
        """`domain`: the sentences to expect. Nothing is loaded before `prepare`."""
        self._domain = [" ".join(words) for words in map(spoken_words, domain) if words]
        self._sessions_max = sessions_max
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._mean = ""  # cepstral mean that every utterance starts from
        self._free: list[Any] = []
        self._slots: asyncio.Semaphore | None = None
        self.words_by_rule: tuple[str, ...] = ()  # pronounced from their letters or parts
        self.words_skipped: tuple[str, ...] = ()  # cannot be pronounced, so never recognised

    async def prepare(self) -> None:
        """Writes the dictionary and the language model, and loads the first decoder (about half a second)."""
        self._slots = asyncio.Semaphore(self._sessions_max)
        if self._folder is not None:
            return
        await asyncio.to_thread(self._write_models)
        try:
            decoder = await asyncio.to_thread(self._make)
        except RuntimeError as error:
            raise bad_setting("pocketsphinx", f"the decoder cannot be loaded: {error}") from error
        self._free.append(decoder)

    async def close(self) -> None:
        self._free.clear()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    async def invoke(self, call: Invocation) -> None:
        """Recognises one utterance. Raises `ProviderError` (overload) when no decoder comes free in time."""
        if self._folder is None or self._slots is None:
            raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, "pocketsphinx: prepare() was not called")
        try:
            async with asyncio.timeout(QUEUE_S_MAX):
                await self._slots.acquire()
        except TimeoutError:
            reason = f"pocketsphinx: all {self._sessions_max} decoders are busy (setting sessions_max)"
            raise ProviderError(Outcome.OVERLOAD, reason, retryable=True) from None
        try:
            decoder = self._free.pop() if self._free else await asyncio.to_thread(self._make)
            try:
                await self._recognise(decoder, call)
            finally:
                self._settle(decoder)
                self._free.append(decoder)
        finally:
            self._slots.release()

    async def _recognise(self, decoder: Any, call: Invocation) -> None:
        decoder.start_utt()
        try:
            shown = ""
            unseen = 0
            async for item in call.inputs():
                if len(item.payload) % 2:
                    reason = f"pocketsphinx: {len(item.payload)} bytes are no whole number of 16-bit samples"
                    raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, reason)
                decoder.process_raw(item.payload, no_search=False, full_utt=False)
                unseen += len(item.payload)
                if unseen >= PARTIAL_EVERY_BYTES:
                    unseen = 0
                    text = _text(decoder)
                    if text and text != shown:
                        shown = text
                        await call.emit("partial", text.encode())
                await asyncio.sleep(0)  # items may already be queued: let others run in between
        finally:
            decoder.end_utt()
        await call.emit("final", _text(decoder).encode(), final=True)

    def _make(self) -> Any:
        assert self._folder is not None
        folder = Path(self._folder.name)
        decoder = pocketsphinx.Decoder(
            samprate=SAMPLE_RATE_HZ,
            dict=str(folder / "domain.dict"),
            lm=str(folder / "domain.lm"),
            fwdflat=False,
            loglevel="FATAL",
        )
        self._mean = self._mean or decoder.get_cmn()
        self._settle(decoder)
        return decoder

    def _settle(self, decoder: Any) -> None:
        """Makes a decoder forget: the last frames and the mean of one utterance would colour the next (3 ms)."""
        decoder.start_utt()
        decoder.process_raw(bytes(SETTLE_BYTES))
        decoder.end_utt()
        decoder.set_cmn(self._mean)

    def _write_models(self) -> None:
        path = Path(pocketsphinx.get_model_path("en-us/cmudict-en-us.dict"))
        if str(path) not in _DICTIONARIES:
            _DICTIONARIES[str(path)] = read_dictionary(path.read_text(encoding="utf-8"))
        dictionary = _DICTIONARIES[str(path)]
        background = [word for word in (*BACKGROUND_WORDS, *sorted(FILLERS)) if word in dictionary]
        used = {word for sentence in self._domain for word in sentence.split()}
        text, by_rule, impossible = dictionary_lines({*used, *background}, dictionary)
        self.words_by_rule, self.words_skipped = tuple(by_rule), tuple(impossible)
        if by_rule:
            log.warning("not in the dictionary, pronounced by rule: %s", ", ".join(by_rule))
        if impossible:
            log.warning("cannot be pronounced, will not be recognised: %s", ", ".join(impossible))
        skipped = set(impossible)
        domain = [" ".join(word for word in line.split() if word not in skipped) for line in self._domain]
        model = ArpaBoLM(text="\n".join([line for line in domain if line] * DOMAIN_COPIES + background), add_start=True)
        model.compute()
        self._folder = tempfile.TemporaryDirectory(prefix="rspp-stt-")
        folder = Path(self._folder.name)
        (folder / "domain.dict").write_text(text, encoding="utf-8")
        with (folder / "domain.lm").open("w", encoding="utf-8") as file:
            model.write(file)


def factory(options: Mapping[str, Any], resources: Mapping[str, bytes]) -> PocketSphinx:
    """Makes the provider. Raises `ProviderError` for a bad setting or dialogue file."""
    read = Options("pocketsphinx", "stt", options, ("script", "sentences", "sessions_max"))
    language = read.text("language", "en-US").replace("_", "-").lower()
    if language.split("-")[0] != "en":
        raise bad_setting("pocketsphinx", f"language {language!r}: only the English model is bundled; use 'en-US'")
    file, data = read.resource("script", resources) or (BUILT_IN_NAME, BUILT_IN)
    domain = [*sentences(parse_dialogue(data, file)), *read.texts("sentences")]
    return PocketSphinx(domain, read.integer("sessions_max", 4, 1, 64))


def _text(decoder: Any) -> str:
    """The best text so far, without the decoder's marks for silence and noise."""
    hypothesis = decoder.hyp()
    text = hypothesis.hypstr if hypothesis is not None else ""
    return " ".join(word for word in text.split() if word[0] not in "<[")
