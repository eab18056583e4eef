"""Hand-offs by clause and by word, and none too short (docs/kernel.md, Hand-off), of a pipeline, on both kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from build import build
from conversation import MS
from test_corpus_agreement import for_runtime

from pipelines import compile_text, value
from rspp_compiler.emit.kernel_view import kernel_files
from rspp_runtime.abi import Control, In, Inbound, Op, Result
from rspp_runtime.reference import Session as Pure
from rspp_runtime.session.gateway import text_mark

TEXT = """pipeline handed_over {{
  node ears  : vad
  node voice : tts
  ingress.audio -> ears -> stt -> llm
  llm -> voice -> egress.audio
  llm -> voice {{ handoff = {{ {handoff} }} }}
}}
""".replace("  llm -> voice -> egress.audio\n", "  voice -> egress.audio\n")


class Model:
    """A turn in which the model speaks; what the voice is fed."""

    def __init__(self, plan: Any, session: Any) -> None:
        self.plan, self.session, self.now = plan, session, 0
        node = {row.name: row.id for row in plan.nodes}
        self.llm, self.voice = node["llm"], node["voice"]
        self.offer(In.CONTROL, port=Control.CONNECTED)
        self.step()
        text = next(i for i, port in enumerate(plan.nodes[plan.ingress].outputs) if port.name == "text")
        self.offer(In.MEDIA, node=plan.ingress, port=text, payload=b"Now?", a=4, b=1, flags=1)
        self.call = next(output.invocation for output in self.step() if output.op == Op.INVOKE)

    def offer(self, op: int, **fields: Any) -> None:
        assert self.session.ingest(Inbound(op, epoch=1, **fields), self.now * MS) == Result.ACCEPTED

    def step(self, after_ms: int = 0) -> list[Any]:
        self.now += after_ms
        self.session.advance(self.now * MS)
        outputs: list[Any] = self.session.drain()
        return outputs

    def says(self, *words: str, after_ms: int = 0) -> list[str]:
        for word in words:
            port = self.plan.nodes[self.llm].outputs[0]
            end, count = text_mark(word.encode(), port.mark)
            self.offer(In.CHUNK, node=self.llm, port=0, invocation=self.call, payload=word.encode(), a=end, b=count)
        outputs = self.step(after_ms)
        return [o.payload.decode() for o in outputs if o.op == Op.FEED and o.node == self.voice]


@pytest.fixture(params=["compiled", "pure"])
def model(request: pytest.FixtureRequest) -> Callable[[str], Model]:
    def opened(handoff: str) -> Model:
        layout = value(compile_text(TEXT.format(handoff=handoff), until="target"), "target").layout
        rows = for_runtime(layout.plan)
        if request.param == "pure":
            return Model(rows, Pure(rows, "model", 1, []))
        files = {"__init__.py": "", **kernel_files(layout.plan, "handed_over.rspp")}
        return Model(rows, build("handed_over", files).Session(rows, "model", 1, []))

    return opened


def test_by_clause(model: Callable[[str], Model]) -> None:
    llm = model("by = clause, max_age = 100ms")
    assert llm.says("Well") == []
    assert llm.says(", it is ") == ["Well,"]
    assert llm.says("four. And", " so on") == [" it is four."]
    assert llm.says(after_ms=99) == []
    assert llm.says(after_ms=1) == [" And so on"]


def test_by_word_and_none_too_short(model: Callable[[str], Model]) -> None:
    """Twelve bytes at least; only what is old enough goes on shorter."""
    llm = model("by = word, max_age = 100ms, min_chars = 12 chars")
    assert llm.says("It ", "is ") == []
    assert llm.says("rather ") == ["It is rather "]
    assert llm.says("good", " to", " know") == []
    assert llm.says(" now") == ["good to know "]
    assert llm.says(after_ms=100) == ["now"]
