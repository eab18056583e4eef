"""Another rate, as it streams, one channel: FFmpeg's swresample, by PyAV.

It keeps back at most `DELAY_SAMPLES`, where soxr's stream keeps back 20 to 117 ms (decision 0049).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from rspp_runtime.audio.format import MissingExtraError

try:
    import av
    import av.filter
    import numpy as np
except ModuleNotFoundError as error:
    raise MissingExtraError(str(error.name), "serve") from None

DELAY_SAMPLES = 16  # that are kept back, at the lower one of the two rates


class Resampler:
    """PCM s16, mono."""

    def __init__(self, in_hz: int, out_hz: int) -> None:
        self._in_hz = in_hz
        self._out_hz = out_hz
        self._graph: Any = None

    def process(self, samples: Any) -> bytes:
        """int16; as much as can be said of it by now."""
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), "s16", "mono")
        frame.sample_rate = self._in_hz
        return self.process_frame(frame)

    def process_frame(self, frame: Any) -> bytes:
        if self._graph is None:
            self._graph = _Graph(frame, self._out_hz)
        return _joined(self._graph.resample(frame))

    def rest(self) -> bytes:
        """What was kept back; then it begins anew."""
        graph, self._graph = self._graph, None
        return b"" if graph is None else _joined(graph.resample(None))

    def forget(self) -> None:
        self._graph = None


class _Graph:
    """What `av.AudioResampler` is, without the threads that it starts for each of them: a server has hundreds."""

    def __init__(self, frame: Any, out_hz: int) -> None:
        self._graph = av.filter.Graph()
        self._graph.threads = 1
        source = self._graph.add_abuffer(
            sample_rate=frame.sample_rate,
            format=frame.format.name,
            layout=frame.layout.name,
            time_base=Fraction(1, frame.sample_rate),
        )
        form = self._graph.add("aformat", sample_rates=str(out_hz), sample_fmts="s16", channel_layouts="mono")
        sink = self._graph.add("abuffersink")
        source.link_to(form)
        form.link_to(sink)
        self._graph.configure()

    def resample(self, frame: Any) -> list[Any]:
        """Frames that are ready; `None` ends the stream, and gives what is left."""
        self._graph.push(frame)
        found = []
        while True:
            try:
                found.append(self._graph.pull())
            except (av.error.EOFError, av.error.BlockingIOError):
                return found


def _joined(frames: list[Any]) -> bytes:
    pieces = [np.ascontiguousarray(frame.to_ndarray()).tobytes() for frame in frames]
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
