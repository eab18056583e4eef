from collections.abc import Callable, Mapping, Sequence

from rspp_runtime.abi.messages import Output
from rspp_runtime.audio.usual import Through, Usual
from rspp_runtime.serving.dialect import Message
from rspp_runtime.serving.inlet import Inlet
from rspp_runtime.serving.outlet import Outlet
from rspp_runtime.serving.packed import Writer
from rspp_runtime.session.monotonic import Watch

class Frames:
    frames_in: int
    frames_out: int
    frames_refused: int

class Heard:
    heard_ns: int
    message_ns: int
    stalled_ns: int
    silent: bool
    def is_lively(self, now_ns: int) -> bool: ...

class Sent:
    turn: int
    sent_ns: int
    end_ns: int
    flushed: bool

class InLane:
    received: int
    packets: int
    base_ns: int
    credit: float
    is_packed: bool
    watch: Watch
    hand_in: Callable[[bytes, int], int] | None
    usual: Usual | None
    heard: Heard
    frames: Frames
    def carry(self, message: Message) -> bool: ...

class OutLane:
    sequence: int
    greeted: bool
    tail: int
    send: Callable[[bytes], None] | None
    writer: Writer | None
    downlink: Through | None
    sent: Sent
    frames: Frames
    def carry(self, turn: int, payload: bytes, play_at_ns: int) -> bool: ...

class Lanes:
    _in: Inlet
    _out: Outlet
    kinds: Mapping[str, str]
    watches: bool
    def __init__(self, way_in: InLane, way_out: OutLane, kinds: dict[str, str]) -> None: ...
    def message(self, message: Message) -> None: ...
    def send(self, port: str, turn: int, payload: bytes, play_at_ns: int) -> None: ...
    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None: ...
    def _message(self, message: Message) -> None: ...
    def _sent(self, kind: str | None, turn: int, payload: bytes, play_at_ns: int) -> None: ...
    def _told(self, outputs: Sequence[Output]) -> None: ...
    def _failed(self) -> None: ...
