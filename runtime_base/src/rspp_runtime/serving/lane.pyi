from collections.abc import Callable

from rspp_runtime.audio.usual import Through, Usual
from rspp_runtime.serving.dialect import Message
from rspp_runtime.serving.packed import Writer

class Frames:
    frames_in: int
    frames_out: int
    frames_refused: int

class Heard:
    heard_ns: int
    message_ns: int
    silent: bool

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
    now: Callable[[], int]
    hand_in: Callable[[str, bytes, int], int] | None
    usual: Usual | None
    heard: Heard
    frames: Frames
    def carry(self, message: Message) -> bool: ...

class OutLane:
    sequence: int
    greeted: bool
    tail: int
    send: Callable[[Message], None] | None
    writer: Writer | None
    downlink: Through | None
    sent: Sent
    frames: Frames
    def carry(self, turn: int, payload: bytes, play_at_ns: int) -> bool: ...
