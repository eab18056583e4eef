"""Whatever is wrong with a pipeline, the compiler says so; it never breaks."""

from __future__ import annotations

import random

import pytest

from pipelines import SHOP, compile_text

ENDS = (
    *("ears", "stt", "llm", "polish", "tts", "notes", "sorry", "ears.speech", "stt.partial"),
    *("ingress.audio", "ingress.text", "egress.audio", "egress.text"),
)


def _mutated(draw: random.Random) -> str:
    """The shop with up to four lines doubled, lost, bent to another node, or put in."""
    lines = SHOP.split("\n")
    for _ in range(draw.randint(1, 4)):
        index = draw.randrange(1, len(lines) - 2)
        what = draw.randrange(4)
        if what == 0:
            lines.insert(index, draw.choice(lines[3:-2]))
        elif what == 1:
            del lines[index]
        elif what == 2:
            lines[index] = lines[index].replace(draw.choice(ENDS), draw.choice(ENDS))
        else:
            lines.insert(index, "  " + " -> ".join(draw.sample(ENDS, draw.randint(2, 4))))
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(80))
def test_a_broken_pipeline_is_reported_and_a_whole_one_rendered(seed: int) -> None:
    result = compile_text(_mutated(random.Random(seed)), until="render")
    assert result.ok == ("render" in result.values)
