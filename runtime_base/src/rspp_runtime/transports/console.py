"""Prints a conversation as it happens: what is heard, what is answered, what is played, what is cut off.

On a terminal the line that is growing (a partial transcript, an answer's words) is rewritten in place; elsewhere each
line is printed once it is complete, and each partial as it comes.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from rspp_runtime.abi.codes import Cause, In, Op, Origin, Result, Signal
from rspp_runtime.abi.lookup import budget_name, heard_by, provider_names
from rspp_runtime.abi.messages import Inbound, Output
from rspp_runtime.abi.plan import Plan
from rspp_runtime.providers.contract import Outcome
from rspp_runtime.session.observer import HandlerCall, InvocationEnd, Observer

_QUIET_ENDS = (Outcome.SUCCESS, Outcome.CANCELLED)


class ConsoleView(Observer):
    """See the module."""

    INPUTS = (In.MEDIA, In.CHUNK)
    QUIET_STEPS = False
    EVERY_CALL = False

    def __init__(self, plan: Plan, console: Console) -> None:
        self._plan = plan
        self._console = console
        self._growing = ""  # what kind of line is being rewritten
        self._line: Text | None = None
        self._answer = ""
        self._words = 0
        self._voiced: set[int] = set()  # texts that voices were given, by runtime sequence
        self._input_end_ns = 0

    def close(self) -> None:
        self._settle()

    # ---- what happens

    def on_input(self, event: Inbound, now_ns: int, result: int) -> None:
        if result != Result.ACCEPTED:
            return
        if event.op == In.MEDIA and event.b:
            self._print(now_ns, "user", f"“{_text(event.payload)}”", "bold")
        elif event.op == In.CHUNK:
            node = self._plan.nodes[event.node]
            port = node.outputs[event.port].name
            if node.kind == "stt" and port == "partial":
                self._grow(now_ns, "hears", _text(event.payload) + " …", "dim", every=True)
            elif node.kind == "stt" and port == "final":
                self._drop_growing("hears")
                self._print(now_ns, "heard", f"“{_text(event.payload)}”" if event.payload else "(nothing)", "bold")
            elif node.kind == "llm" and port == "delta":
                self._answer += _text(event.payload)
                self._grow(now_ns, "answers", self._answer.strip(), "cyan")

    def on_step(self, now_ns: int, deadline_ns: int, drained_ns: int, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if output.op == Op.DECISION:
                self._decided(output)
            elif output.op == Op.DEAD_LETTER:
                self._lost(output)
            elif output.op == Op.FEED and self._plan.speech_nodes >> output.node & 1 and output.seq not in self._voiced:
                self._voiced.add(output.seq)
                self._words += len(output.payload.split())

    def on_handler(self, call: HandlerCall) -> None:
        if call.emissions is None:
            self._print(call.end_ns, self._plan.nodes[call.node].name, f"failed: {call.reason}", "red")

    def on_invocation(self, end: InvocationEnd) -> None:
        if end.outcome not in _QUIET_ENDS:
            node = self._plan.nodes[end.node].name
            self._print(end.end_ns, node, f"{Outcome(end.outcome).name.lower()}: {end.reason}", "red")

    def _decided(self, output: Output) -> None:
        signal, now_ns = output.code, output.t_ns
        if signal == Signal.HEARD:
            self._print(now_ns, "user", "speaks", "")
        elif signal == Signal.BARGE_IN:
            self._print(now_ns, "user", "talks over the answer", "yellow")
        elif signal == Signal.TURN_OPEN_PROPOSED:
            self._input_end_ns = now_ns
            if output.x not in (Origin.SPEECH, Origin.TEXT):
                self._print(now_ns, "turn", f"proposed by {Origin(output.x).name.lower()}", "dim")
        elif signal == Signal.TURN_OPEN:
            self._answer, self._words = "", 0
            self._voiced.clear()
            self._print(now_ns, "turn", f"{output.turn} opens, plan {output.payload.hex()[:12]}", "dim")
        elif signal == Signal.PLAYBACK_STARTED:
            late_ms = (now_ns - self._input_end_ns) / 1e6
            self._print(now_ns, "speaks", f"▶ {late_ms:.0f} ms after the end of input", "green")
        elif signal == Signal.PLAYBACK_COMPLETED:
            self._print(now_ns, "speaks", f"■ to the end: {output.x} words{self._by(output)}", "green")
        elif signal == Signal.PLAYBACK_CANCELLED:
            heard = f"{output.x} of {self._words} words were heard"
            self._print(now_ns, "speaks", f"■ cut off: {heard}{self._by(output)}", "yellow")
        elif signal in (Signal.BUDGET_EXHAUSTED, Signal.FALLBACK, Signal.DEGRADE):
            name = Signal(signal).name.lower().replace("_", " ")
            budget = budget_name(self._plan, output.y) if signal == Signal.BUDGET_EXHAUSTED else "turn"
            self._print(now_ns, "turn", name if budget == "turn" else f"{name} ({budget})", "yellow")
        elif signal == Signal.PROVIDER_SWITCH:
            names = provider_names(self._plan, output.node)
            node = self._plan.nodes[output.node].name
            self._print(now_ns, node, f"{names[output.y]} takes over from {names[output.x]}", "yellow")
        elif signal == Signal.COMMIT:
            self._print(now_ns, "turn", f"{output.turn} committed", "dim")
        elif signal == Signal.ABORT:
            self._print(now_ns, "turn", f"{output.turn} aborted: {Cause(output.cause).name.lower()}", "yellow")

    def _by(self, output: Output) -> str:
        basis, error_ms = heard_by(self._plan.lead_ns, output.port, output.invocation)
        return f" ({basis} ± {error_ms} ms)"

    def _lost(self, output: Output) -> None:
        node, tap = self._plan.nodes[output.code], self._plan.nodes[output.node].name
        is_text = node.inputs[output.port].type == "text"
        what = f"“{_text(output.payload)}”" if is_text else f"{len(output.payload)} bytes"
        why = Cause(output.cause).name.lower()
        self._print(output.t_ns, tap, f"{node.name} could not work on {what}: {why}", "red")

    # ---- lines

    def _format(self, now_ns: int, who: str, what: str, style: str) -> Text:
        return Text.assemble((f"{now_ns / 1e9:7.2f} s  ", "dim"), (f"{who:<8} ", "blue"), (what, style))

    def _print(self, now_ns: int, who: str, what: str, style: str) -> None:
        self._settle()
        self._console.print(self._format(now_ns, who, what, style), soft_wrap=True)

    def _grow(self, now_ns: int, who: str, what: str, style: str, *, every: bool = False) -> None:
        if self._growing != who:
            self._settle()
        self._growing, self._line = who, self._format(now_ns, who, what, style)
        if self._console.is_terminal:
            shown = self._line.copy()
            shown.truncate(self._console.width - 1, overflow="ellipsis")
            self._console.file.write("\r\x1b[2K")
            self._console.print(shown, end="")
        elif every:
            self._settle()

    def _drop_growing(self, who: str) -> None:
        """The line was provisional: what comes takes its place."""
        if self._growing == who and self._console.is_terminal:
            self._console.file.write("\r\x1b[2K")
        if self._growing == who:
            self._growing, self._line = "", None

    def _settle(self) -> None:
        """Ends the growing line."""
        if self._line is not None:
            if self._console.is_terminal:
                self._console.file.write("\r\x1b[2K")
            self._console.print(self._line, soft_wrap=True)
        self._growing, self._line = "", None


def _text(payload: bytes) -> str:
    return payload.decode("utf-8", "replace")
