"""Whether anything is still going on in a session: what a transport asks before it hangs up."""

from __future__ import annotations

from collections.abc import Sequence

from rspp_runtime.abi.codes import Cause, In, Op, Result, Signal
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.session.observer import Observer
from rspp_runtime.session.stepper import Course

_CHUNK, _MEDIA, _REFUSED, _DECISION = int(In.CHUNK), int(In.MEDIA), int(Result.REFUSED), int(Op.DECISION)


class Activity(Course, Observer):
    """Follows turns and speech. A session is quiet while no turn is open or proposed, nobody speaks, and the
    recogniser owes no text."""

    INPUTS = (In.CHUNK, In.MEDIA)
    QUIET_STEPS = MOVES = False

    def __init__(self, plan: Plan) -> None:
        self.running = False
        self.turn = 0  # serial of the open turn, 0 if none
        self.turns_closed = 0
        self._proposed = False
        self._deferred = False
        self._speaking = False
        self._last_ns = 0
        self._speech = {  # by node and port: whether the user speaks from then on
            (plan.events[event].node, plan.events[event].port): speaking
            for event, speaking in ((plan.speech_start, True), (plan.turn_owner, False))
            if event >= 0
        }
        ingress = plan.nodes[plan.ingress].outputs if plan.ingress >= 0 else ()
        said = ((plan.ingress, index) for index, port in enumerate(ingress) if port.type != "audio")
        self.ports = frozenset([*self._speech, *said])

    @property
    def busy(self) -> bool:
        return self._proposed or self._deferred or self.turn > 0 or self._speaking

    def quiet_ns(self, now_ns: int) -> int:
        """For how long nothing has been going on; 0 while something is."""
        return 0 if self.busy else now_ns - self._last_ns

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        if result == _REFUSED:
            return
        if event.op == _CHUNK:
            speaking = self._speech.get((event.node, event.port))
            if speaking is not None:
                self._speaking = speaking
                self._last_ns = now_ns
        elif event.op == _MEDIA and event.a + event.b:
            self._last_ns = now_ns

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if output.op != _DECISION:
                continue
            signal = output.code
            if signal == Signal.CONNECTED:
                self.running = True
            elif signal == Signal.ENDED:
                self.ended = True
                self._proposed = self._deferred = self._speaking = False
                self.turn = 0
            elif signal == Signal.TURN_OPEN_PROPOSED:
                self._proposed, self._deferred = True, False
            elif signal == Signal.TURN_OPEN:
                self._proposed, self.turn = False, output.turn
            elif signal == Signal.CLOSE:
                self.turn = 0
                self.turns_closed += 1
            elif signal == Signal.DEFER and output.cause == Cause.TURN_ACTIVE:
                self._deferred = True
            elif signal in (Signal.DEFER, Signal.REJECT, Signal.STALE_EPOCH_REJECT, Signal.DEAUTHORIZED_DRAIN):
                self._proposed = False
            else:
                continue
            self._last_ns = now_ns
