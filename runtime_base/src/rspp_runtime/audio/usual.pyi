from rspp_runtime.audio.framer import Frames

class Usual:
    next: int
    index: int
    last_ns: int
    until_ns: int
    def __init__(self, ahead_ns: int) -> None: ...
    def push(self, packet: bytes, sequence: int, sample_index: int | None, now_ns: int) -> Frames: ...
    def begin(self, end_ns: int, sample: int, until_ns: int) -> None: ...
    def brought(self) -> tuple[int, int, list[bytes]]: ...

class Through:
    is_native: bool
    is_empty: bool
