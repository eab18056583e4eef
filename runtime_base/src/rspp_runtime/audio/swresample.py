"""Another rate for what FFmpeg decoded, as it streams, one channel: its own swresample, by PyAV.

Only Opus comes this way: its frames are FFmpeg's already. It keeps back at most 16 samples of the lower rate.
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
    raise MissingExtraError(str(error.name), "opus") from None


class FrameResampler:
    """FFmpeg's frames to PCM s16, mono."""

    def __init__(self, out_hz: int) -> None:
        self._out_hz = out_hz
        self._graph: Any = None

    def process(self, frame: Any) -> bytes:
        """As much as can be said of it by now."""
        if self._graph is None:
            self._graph = _Graph(frame, self._out_hz)
        return _joined(self._graph.resample(frame))


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
        """Frames that are ready."""
        self._graph.push(frame)
        found = []
        while True:
            try:
                found.append(self._graph.pull())
            except av.error.BlockingIOError:
                return found


def _joined(frames: list[Any]) -> bytes:
    pieces = [np.ascontiguousarray(frame.to_ndarray()).tobytes() for frame in frames]
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)
