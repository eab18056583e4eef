"""espeak-ng through ctypes: one library for the process, one thread that talks to it.

The library keeps its voice, its settings and its position in global variables, so two threads may not use it at once.
All calls go through one worker thread, in order of arrival. A job is one piece of text of at most `PIECE_BYTES_MAX`,
takes a few milliseconds, and never waits for anyone: a session whose listener is slow holds its own piece of PCM and
nothing else, and never holds up another session. A piece is abandoned, in mid-word, as soon as its caller says so.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import espeakng_loader

from rspp_runtime.providers.contract import Outcome, ProviderError
from rspp_runtime.providers.options import bad_setting, suggest

PIECE_BYTES_MAX = 240  # of text a job: about 16 s of speech, 0.7 MB of PCM
PIECE_S_MAX = 90  # of speech a job, since 240 digits take longer to say than 240 letters
BUFFER_MS = 60  # of audio a callback: how fine a job can be abandoned

_SYNCHRONOUS = 2  # hand out the audio instead of playing it, and return when all of it was handed out
_DONT_EXIT = 0x8000
_UTF8 = 1
_END_PAUSE = 0x1000
_POS_CHARACTER = 1
_RATE, _PITCH = 1, 3
_EVENT_NONE, _EVENT_WORD = 0, 1


class _Id(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    )


class _Voice(ctypes.Structure):
    _fields_ = (
        ("name", ctypes.c_char_p),
        ("languages", ctypes.c_char_p),
        ("identifier", ctypes.c_char_p),
        ("gender", ctypes.c_ubyte),
        ("age", ctypes.c_ubyte),
        ("variant", ctypes.c_ubyte),
        ("xx1", ctypes.c_ubyte),
        ("score", ctypes.c_int),
        ("spare", ctypes.c_void_p),
    )


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Settings(NamedTuple):
    """`rate` in words a minute, `pitch` 0 to 100 (50 is the voice's own)."""

    voice: str
    rate: int
    pitch: int


class Mark(NamedTuple):
    """The word that begins at character `position` of the piece is spoken from `sample` on."""

    position: int
    sample: int


class Piece(NamedTuple):
    """Speech: PCM s16le mono at `Library.sample_rate_hz`, and the words in it. `whole` is False when it was cut off."""

    pcm: bytes
    marks: list[Mark]
    whole: bool


class _Job:
    """The piece being made. `add` is called by the library's callback and says whether to stop."""

    def __init__(self, stop: Callable[[], bool], bytes_max: int) -> None:
        self.pcm = bytearray()
        self.marks: list[Mark] = []
        self.whole = True
        self.error: BaseException | None = None
        self._stop = stop
        self._bytes_max = bytes_max

    def add(self, pcm: bytes, marks: list[Mark]) -> bool:
        self.pcm += pcm
        self.marks += marks
        self.whole = not self._stop() and len(self.pcm) <= self._bytes_max
        return not self.whole


class Library:
    """The process's espeak-ng. Use `Library.shared()`."""

    _shared: Library | None = None
    _guard = threading.Lock()

    @classmethod
    def loaded(cls) -> Library | None:
        """The one instance, if it was used before."""
        return cls._shared

    @classmethod
    def shared(cls) -> Library:
        """The one instance, loaded at first use. Raises `ProviderError` when the library cannot be loaded."""
        with cls._guard:
            if cls._shared is None:
                cls._shared = cls()
            return cls._shared

    def __init__(self) -> None:
        try:
            self._lib: Any = ctypes.CDLL(espeakng_loader.get_library_path())
        except OSError as error:
            raise bad_setting("espeak", f"the espeak-ng library cannot be loaded: {error}") from error
        self._lib.espeak_ListVoices.restype = ctypes.POINTER(ctypes.POINTER(_Voice))
        self._lib.espeak_ListVoices.argtypes = (ctypes.c_void_p,)
        self._lib.espeak_Synth.argtypes = (
            ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_uint,
            ctypes.c_void_p, ctypes.c_void_p,
        )  # fmt: skip
        self.sample_rate_hz = int(
            self._lib.espeak_Initialize(_SYNCHRONOUS, BUFFER_MS, espeakng_loader.get_data_path().encode(), _DONT_EXIT)
        )
        if self.sample_rate_hz <= 0:
            raise bad_setting("espeak", "espeak-ng does not start; reinstall the package espeakng-loader")
        self._callback = _CALLBACK(self._on_audio)  # the library keeps only a pointer, so we keep the object
        self._lib.espeak_SetSynthCallback(self._callback)
        self._job: _Job | None = None
        self._settings: Settings | None = None
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="espeak")

    def check(self, settings: Settings) -> None:
        """Raises `ProviderError` naming near voices when there is no such voice."""
        self._worker.submit(self._apply, settings).result()

    def speak(self, text: str, settings: Settings, stop: Callable[[], bool]) -> asyncio.Future[Piece]:
        """Synthesises one piece of at most `PIECE_BYTES_MAX` bytes. `stop` is polled on the worker thread.

        Through the loop, because one in virtual time waits only for threads that it knows of; and no other thread waits
        for this one, so that many who speak at once hold nobody up who needs the loop's own threads.
        """
        return asyncio.get_running_loop().run_in_executor(self._worker, self._speak, text, settings, stop)

    def _apply(self, settings: Settings) -> None:
        if settings == self._settings:
            return
        if not self._has(settings.voice):
            known = self._voices()
            if not self._has(known.get(settings.voice, "")):  # the file of a language may be called otherwise
                raise bad_setting(
                    "espeak",
                    f"no voice is called {settings.voice!r}{suggest(settings.voice, sorted(known))}; "
                    f"it has {len(known)}, for example en-us, en-gb, de, es, fr",
                )
        self._lib.espeak_SetParameter(_RATE, settings.rate, 0)
        self._lib.espeak_SetParameter(_PITCH, settings.pitch, 0)
        self._settings = settings

    def _has(self, voice: str) -> bool:
        """Takes the voice, if there is one in a file of that name."""
        return voice != "" and self._lib.espeak_SetVoiceByName(voice.encode()) == 0

    def _voices(self) -> dict[str, str]:
        """Language → file of its voice. `languages` is a list of (priority byte, name) pairs; the first will do."""
        found: dict[str, str] = {}
        voices = self._lib.espeak_ListVoices(None)
        at = 0
        while voices[at]:
            voice = voices[at].contents
            language = (voice.languages or b"?")[1:].decode("utf-8", "replace")
            found.setdefault(language, (voice.identifier or b"").decode("utf-8", "replace").rpartition("/")[2])
            at += 1
        return found

    def _speak(self, text: str, settings: Settings, stop: Callable[[], bool]) -> Piece:
        job = _Job(stop, 2 * self.sample_rate_hz * PIECE_S_MAX)
        if stop():  # abandoned while it waited for its turn
            return Piece(b"", [], False)
        self._apply(settings)
        data = text.encode()
        self._job = job
        try:
            flags = _UTF8 | _END_PAUSE
            failed = self._lib.espeak_Synth(data, len(data) + 1, 0, _POS_CHARACTER, 0, flags, None, None)
        finally:
            self._job = None
        if job.error is not None:
            raise job.error
        if failed:
            raise ProviderError(Outcome.INFRASTRUCTURE_FAILURE, f"espeak: synthesis failed (code {failed})")
        return Piece(bytes(job.pcm), job.marks, job.whole)

    def _on_audio(self, wav: Any, samples: int, events: Any) -> int:
        """The library's callback, on the worker thread: 0 to go on, 1 to stop now."""
        job = self._job
        if job is None:
            return 1
        try:
            marks = []
            at = 0
            while events[at].type != _EVENT_NONE:
                if events[at].type == _EVENT_WORD:
                    marks.append(Mark(events[at].text_position - 1, events[at].sample))
                at += 1
            pcm = ctypes.string_at(wav, 2 * samples) if wav and samples > 0 else b""
            return int(job.add(pcm, marks))
        except BaseException as error:  # an exception cannot cross C; `_speak` raises it on the other side
            job.error = error
            return 1
