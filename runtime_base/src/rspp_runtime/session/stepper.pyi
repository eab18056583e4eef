from collections.abc import Callable, Sequence

from rspp_runtime.abi.codes import Control
from rspp_runtime.abi.messages import Inbound, Session
from rspp_runtime.abi.plan import Port
from rspp_runtime.kernel.user_nodes import NodeCall
from rspp_runtime.session.activity import Activity
from rspp_runtime.session.audience import Audience
from rspp_runtime.session.clock import Clock
from rspp_runtime.session.gateway import Gateway
from rspp_runtime.session.handlers import Calls
from rspp_runtime.session.invocation import Call
from rspp_runtime.session.observer import InvocationEnd
from rspp_runtime.session.playback import PlayedAudio
from rspp_runtime.session.pump import Pump, Seat
from rspp_runtime.session.requests import Requests
from rspp_runtime.session.waiters import Waiters
from rspp_runtime.transports.contract import Transport

class Course:
    ended: bool

class Called:
    took_ns: dict[int, int]
    touched: list[NodeCall]

class Stamps:
    epoch: int
    sequence: int
    def __init__(self, epoch: int, sequence: int, ingress: int, audio_port: int) -> None: ...
    def next_sequence(self) -> int: ...
    def frame(self, payload: bytes, media_ns: int) -> Inbound | None: ...

class Stepper:
    gateway: Gateway
    activity: Activity
    audience: Audience
    played: PlayedAudio | None
    calls: dict[int, Call]
    ended: list[InvocationEnd]
    appended: list[tuple[int, bool]]
    requests: Requests
    waiting: Waiters
    pump: Pump | None
    seat: Seat | None
    awake: bool
    stepping: bool
    stopped: bool
    failure: Exception | None
    def __init__(
        self,
        session: Session,
        clock: Clock,
        gateway: Stamps,
        activity: Activity,
        audience: Audience,
        node_calls: Calls,
        perform: Sequence[Callable[..., None] | None],
        ports: Sequence[Port],
        transport: Transport,
    ) -> None: ...
    @property
    def epoch(self) -> int: ...
    def now_ns(self) -> int: ...
    def offer(self, event: Inbound) -> int: ...
    def take(self, event: Inbound) -> int: ...
    def hand_in_frame(self, payload: bytes, media_ns: int) -> int: ...
    def wake(self) -> None: ...
    def step(self) -> None: ...
    def _deliver(self) -> None: ...
    def _control(self, code: Control, a: int, b: int) -> int: ...
    def _end(self) -> None: ...
