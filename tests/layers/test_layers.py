"""Layers: what overrides what, how values are written there, and what a tenant may not do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rspp_compiler.cli.layers import with_layers
from rspp_compiler.diagnostics.fixes import apply_all
from rspp_compiler.driver import Result, compile_pipeline
from rspp_compiler.ir.context import Context, LayerName, Options
from rspp_compiler.ir.spec import FileRef, PipelineSpec, SecretRef

Text = tuple[LayerName, str]
MS, S = 1_000_000, 1_000_000_000
TEXT = """
tool book (day : text) : python("bookings:book") { background }
pipeline shop version "1.0.0" {
  profile simple/v1
  node ears  : vad
  node llm   { system = "Be brief.", tools = [book], tunable = [system, temperature(0.1, 0.9)] }
  node voice : tts { rate = 120, tunable = [voice, rate(100, 140)] }
  node find (question : text) -> (prompt : text) : python("m:find") { timeout = 100ms, limit = { cpu = 50% } }
  ingress.audio -> ears -> stt { buffer = [64 items, 200ms], overflow = drop_oldest }
  stt -> find -> llm -> voice { handoff = { by = clause, max_age = 100ms } }
  voice.audio -> egress.audio
  budget { llm = 500ms, ingress.audio -> stt.final = 700ms }
}
provider stt {
  use deepgram { model = "nova-2", api_key = secret("env://KEY") }
  timeout = { first_chunk = 700ms, chunk = 500ms }
}
"""


def compiled(folder: Path, *layers: Text, values: tuple[str, ...] = (), until: str = "validate") -> Result:
    """Compiles TEXT with layers, each written to a file of its name."""
    (folder / "shop.rspp").write_text(TEXT, encoding="utf-8")
    files: list[tuple[LayerName, Path]] = []
    for number, (name, text) in enumerate(layers):
        path = folder / f"{name}{number}.toml"
        path.write_text(text, encoding="utf-8", newline="")
        files.append((name, path))
    ctx = Context(options=Options(until=until))
    with_layers(ctx, files, values)
    return compile_pipeline([folder / "shop.rspp"], ctx=ctx)


def spec(result: Result) -> PipelineSpec:
    assert [one for one in result.diagnostics if one.severity == "error"] == []
    value = result.stage("spec")
    assert isinstance(value, PipelineSpec)
    return value


def setting(of: PipelineSpec, node: str, field: str) -> tuple[object, str]:
    """A setting's value, and where it came from."""
    found = of.node(node)
    assert found is not None
    return found.settings.get(field), str(found.origin(f"settings.{field}"))


def codes(result: Result) -> list[str]:
    return [one.code for one in result.diagnostics if one.severity == "error"]


def test_each_layer_overrides_those_before_it(tmp_path: Path) -> None:
    file: Text = ("environment", "[voice]\nrate = 110\n")
    tenant: Text = ("tenant", "[voice]\nrate = 130\n")
    session: Text = ("session", "[voice]\nrate = 140\n")
    assert setting(spec(compiled(tmp_path)), "voice", "rate") == (120, "user, shop.rspp:7:29")
    assert setting(spec(compiled(tmp_path, file)), "voice", "rate") == (110, "user, environment0.toml:2:8")
    of = spec(compiled(tmp_path, file, values=("voice.rate=115",)))
    assert setting(of, "voice", "rate") == (115, "user, --set:1:12")
    of = spec(compiled(tmp_path, file, tenant, values=("voice.rate=115",)))
    assert setting(of, "voice", "rate") == (130, "user, tenant1.toml:2:8")
    # A tenant's values come behind an environment's, in whatever order they are named.
    of = spec(compiled(tmp_path, tenant, file))
    assert setting(of, "voice", "rate")[0] == 130
    of = spec(compiled(tmp_path, tenant, session))
    assert setting(of, "voice", "rate")[0] == 140


ENVIRONMENT = """
# everything that an environment can reach
"ears -> stt".latency = "60ms"

[budget]
turn = "1900ms"
"turn.total" = "100s"
llm = "400ms"
"ingress.audio -> stt.final" = "650ms"
cost = "0.05usd"

[llm]
system = "Be kind."          # a plain text
temperature = 0.2
max_tokens = "60 tokens"
cancel = "soft"

[find.limit]
memory = "64MB"

["ears.speech -> stt.audio"]
buffer = "[32 items, 150ms]"
overflow = ["block(40ms)", "drop_oldest"]

["llm -> voice".handoff]
max_age = '120ms'

[provider.stt]
timeout = { first_chunk = "600ms" }
retry.times = 1
retry.backoff = "20ms"

[provider.stt.use.deepgram]
model = "nova-3"
api_key = 'secret("vault://stt/key")'

[tool.book]
timeout = "2s"
about = "Books a table"
once = true

[record]
level = "L1"
keep = "7d"
region = "eu"
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_an_environment_reaches_everything(tmp_path: Path, end: str) -> None:
    result = compiled(tmp_path, ("environment", ENVIRONMENT.replace("\n", end)))
    of = spec(result)
    budget, llm, find = of.budget, of.node("llm"), of.node("find")
    assert llm is not None
    assert find is not None
    assert find.limit is not None
    assert (budget.turn_ns, budget.turn_total_ns, budget.cost_microusd) == (1900 * MS, 100 * S, 50_000)
    assert budget.paths[0].ns == 650 * MS
    assert (llm.first_output_ns, llm.cancel) == (400 * MS, "soft")
    assert (llm.settings["system"], llm.settings["temperature"], llm.settings["max_tokens"]) == ("Be kind.", 0.2, 60)
    assert llm.tools == ("book",)  # what a layer does not name stays
    assert (find.limit.cpu_percent, find.limit.memory_bytes) == (50, 64_000_000)
    into = next(edge for edge in of.edges if edge.target == "stt")
    assert (into.buffer_items, into.buffer_ns, into.latency_ns) == (32, 150 * MS, 60 * MS)
    assert [step.strategy for step in into.overflow] == ["block", "drop_oldest"]
    handoff = next(edge.handoff for edge in of.edges if edge.target == "voice")
    assert handoff is not None
    assert (handoff.by, handoff.age_ns_max) == ("clause", 120 * MS)
    stt = of.provider("stt")
    assert stt is not None
    assert (stt.first_chunk_ns, stt.chunk_ns) == (600 * MS, 500 * MS)
    assert (stt.retry.times, stt.retry.backoff_ns) == (1, 20 * MS)
    assert stt.candidates[0].settings == {"model": "nova-3", "api_key": SecretRef(secret="vault://stt/key")}
    book = of.tool("book")
    assert book is not None
    assert (book.timeout_ns, book.about, book.once) == (2 * S, "Books a table", True)
    assert (of.recording.level, of.recording.region) == ("L1", "eu")
    # Every place is exact, behind CRLF too.
    source = next(source for name, source in result.context.sources.items() if name.endswith(".toml"))
    at = into.origin("latency_ns").span
    assert source.line(at.line)[at.column - 1 : at.end_column - 1] == "60ms"


@pytest.mark.parametrize(
    ("value", "node", "field", "read"),
    [
        ("llm.system=Be kind.", "llm", "system", "Be kind."),
        ('llm.system="Be kind."', "llm", "system", "Be kind."),
        ("llm.system=drop_oldest", "llm", "system", "drop_oldest"),
        ('llm.system=file("shop.rspp")', "llm", "system", FileRef(file="shop.rspp")),
        ("llm.temperature=0.5", "llm", "temperature", 0.5),
        ("ears.min_silence=250ms", "ears", "min_silence_ns", 250 * MS),
    ],
)
def test_set(tmp_path: Path, value: str, node: str, field: str, read: object) -> None:
    assert setting(spec(compiled(tmp_path, values=(value,))), node, field)[0] == read


@pytest.mark.parametrize("key", ["ears -> stt", "ears.speech -> stt.audio", '"ears -> stt"', "ears->stt.audio"])
def test_set_reaches_flows(tmp_path: Path, key: str) -> None:
    """The keys that `rsppc resolve` prints, as they are."""
    of = spec(compiled(tmp_path, values=(f"{key}.latency=55ms", "budget.ingress.audio -> stt.final=650ms")))
    assert next(edge.latency_ns for edge in of.edges if edge.target == "stt") == 55 * MS
    assert of.budget.paths[0].ns == 650 * MS


@pytest.mark.parametrize(
    ("name", "text", "code", "line"),
    [
        ("environment", "[llm]\nmax_tokens = 0\n", "E0306", 2),
        ("environment", "[llm]\ntemperatur = 0.5\n", "E0301", 2),
        ("environment", '[ears]\nmin_silence = "300 ms"\n', "E0305", 2),
        ("environment", "[ears]\nmin_silence = 300\n", "E0303", 2),
        ("environment", '[ears]\nmin_silence = "3 parsecs"\n', "E0305", 2),
        ("environment", '["ears -> stt"]\noverflow = "latest"\n', "E0307", 2),
        ("environment", '[llm]\nscope = "session"\n', "E0316", 2),
        ("environment", "[lmm]\ntemperature = 0.5\n", "E0316", 1),
        ("environment", '["ears -> sst"]\nlatency = "10ms"\n', "E0316", 1),
        ("environment", "[provider.sst]\nretry.times = 1\n", "E0316", 1),
        ("environment", '[provider.stt.use.depgram]\nmodel = "a"\n', "E0316", 1),
        ("environment", '[budget]\n"ingress.audio -> llm" = "1s"\n', "E0316", 1),
        ("environment", '[record]\nlevel = "L7"\n', "E0307", 2),
        ("environment", '[provider.stt.use.deepgram]\napi_key = "abc"\n', "E0308", 2),
        ("environment", '[llm]\nsystem = "Hi ${session.nmae}"\n', "E0312", 2),
        ("environment", '[llm]\nsystem = "file(\'no.md\')"\ntools = ["bok"]\n', "E0226", 3),
        ("environment", "[llm\ntemperature = 0.5\n", "E0315", 1),
        ("environment", "[budget]\nturn = 2s\n", "E0315", 2),
        ("tenant", '[ears]\nmin_silence = "300ms"\n', "E0317", 2),
        ("session", "[voice]\npitch = 20\n", "E0317", 2),
        ("tenant", '[budget]\nturn = "1s"\n', "E0317", 2),
        ("tenant", '["ears -> stt"]\nlatency = "10ms"\n', "E0317", 2),
        ("session", '[record]\nlevel = "L2"\n', "E0317", 2),
        ("tenant", "[voice]\nrate = 90\n", "E0318", 2),
        ("session", "[llm]\ntemperature = 1.5\n", "E0318", 2),
    ],
)
def test_mistakes_name_the_layer_and_are_fixed(
    tmp_path: Path, name: LayerName, text: str, code: str, line: int
) -> None:
    """Each is one finding in the layer's file; its fix, applied, leaves nothing to find."""
    result = compiled(tmp_path, (name, text))
    (only,) = (one for one in result.diagnostics if one.severity == "error")
    assert (only.code, Path(only.primary.file).name, only.primary.line) == (code, f"{name}0.toml", line)
    if code == "E0318":
        assert any(Path(span.file).name == "shop.rspp" for span, _ in only.secondary)
    for _ in range(3):  # a bare number gets its unit first, and then its quotes
        found = next((one for one in result.diagnostics if one.severity == "error"), None)
        if found is None or found.fix is None:
            break
        fixed, _ = apply_all({found.primary.file: text}, [found.fix])
        text = fixed[found.primary.file]
        result = compiled(tmp_path, (name, text))
    assert codes(result) == []


@pytest.mark.parametrize("value", ["llm.temperature", "=3", "llm.=3", "llm.temperature="])
def test_set_takes_a_key_and_a_value(tmp_path: Path, value: str) -> None:
    assert codes(compiled(tmp_path, values=(value,))) == ["E0315"]


def test_layers_that_change_nothing_give_the_same_template(tmp_path: Path) -> None:
    plain = compiled(tmp_path, until="freeze").stage("plan")
    same = compiled(tmp_path, values=("voice.rate=120",), until="freeze").stage("plan")
    other = compiled(tmp_path, values=("voice.rate=130",), until="freeze").stage("plan")
    assert plain.template_hash == same.template_hash
    assert plain.template_hash != other.template_hash


KEYS = [
    "llm.temperature",
    "voice.rate",
    '"ears -> stt".latency',
    "budget.turn",
    "provider.stt.timeout.chunk",
    "x",
    "llm",
]
VALUES = [
    "0.5",
    "300ms",
    '"a"',
    "[1, a]",
    "{ a = 1 }",
    "block(",
    "}",
    '"',
    "''",
    "true",
    "\\",
    "0x1",
    "1e9",
    "2020-01-01",
]


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(lines=st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(VALUES)), max_size=4), text=st.text(max_size=20))
def test_nothing_in_a_layer_makes_the_compiler_raise(tmp_path: Path, lines: list[tuple[str, str]], text: str) -> None:
    toml = "\n".join(f"{key} = {value}" for key, value in lines)
    result = compiled(tmp_path, ("environment", toml), ("session", text), values=tuple(f"{k}={v}" for k, v in lines))
    for found in result.diagnostics:
        assert found.primary.line >= 1
