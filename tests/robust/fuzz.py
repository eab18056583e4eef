"""Coverage-guided fuzzing of the front end, by atheris (libFuzzer).

    python tests/robust/fuzz.py [--seconds N] [--seed N] [--until PASS] [--corpus DIR] [FILE...]

Begins with every pipeline of the project, changes them towards what was not executed before, and compiles each result
up to PASS. An exception, a place outside of the text, or an input that takes ten seconds of a core is a failure: the
input is kept in `out/fuzz/`, and naming it as FILE runs just that one. Inputs that reached something new are kept in
DIR, `out/fuzz/corpus` unless said otherwise, so a later run goes on where this one stopped. Ends with the number of
executions. Exit code 0 when nothing failed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "plugins"))

import atheris

with redirect_stderr(StringIO()), atheris.instrument_imports(include=["rspp_compiler"]):
    from rspp_compiler import driver
    from rspp_compiler.ir.context import Context, Options
    from rspp_compiler.source import Source

    for name, package, _ in driver.PASSES[: [name for name, _, _ in driver.PASSES].index("check") + 1]:
        driver.pass_function(package, name)

from corpus import ROOT, SOUND, files, read
from mutants import assert_sound
from rspp_compiler.syntax.tables import tables

OUT = ROOT / "out" / "fuzz"
SECONDS_AN_INPUT = 10  # of a core
SECONDS_HANGING = 300  # by the clock, on a machine that does much else
BYTES_AN_INPUT = 4096
FILE = ROOT / "pipelines" / "fuzzed.rspp"  # there is no such file: its text is an overlay
JSON = FILE.with_suffix(".json")


def compile_bytes(data: bytes, until: str) -> None:
    """Compiles any bytes; what is wrong with the compiler is raised."""
    text = data.decode("utf-8", "ignore")
    path = JSON if text.startswith("{") else FILE
    name = path.as_posix()
    ctx = Context(options=Options(until=until), overlays={name: text})
    began = time.process_time()
    result = driver.compile_pipeline([path], ctx=ctx)
    assert time.process_time() - began < SECONDS_AN_INPUT, "took too long"
    assert_sound(result.diagnostics, ctx.sources.get(name, Source(name, text)))
    assert all(value is not None for value in result.values.values()) or result.diagnostics, "gave up, and said nothing"


def dictionary() -> str:
    """The words and signs of the language, as libFuzzer reads them."""
    known = tables()
    signs = [
        "->",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        '"',
        '"""',
        ":",
        "=",
        ",",
        ".",
        "==",
        "#",
        "\n",
        "300ms",
        "64 items",
        "simple/v1",
    ]
    kinds = ["vad", "stt", "llm", "tts", "say", "tap", "merge", "ingress", "egress", "turn", "session"]
    words = [*known.keywords, *signs, *kinds]
    codes = ("".join(f"\\x{byte:02x}" for byte in word.encode()) for word in words)
    return "".join(f'"{code}"\n' for code in codes)


def main() -> None:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("--seconds", type=int, default=60)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--until", default="check", choices=[name for name, _, _ in driver.PASSES])
    options.add_argument("--corpus", type=Path, default=OUT / "corpus")
    options.add_argument("inputs", nargs="*", type=Path)
    given = options.parse_args()
    if given.inputs:
        for path in given.inputs:
            compile_bytes(path.read_bytes(), given.until)
        return
    seeds = Path(tempfile.mkdtemp(prefix="rspp-fuzz-"))
    for folder in (OUT, given.corpus):
        folder.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate([*SOUND, *(read(path) for path in files("pipelines", "tests/corpus"))]):
        (seeds / f"{number}.rspp").write_bytes(text.encode())
    words = seeds / "words.dict"
    words.write_text(dictionary(), encoding="ascii")
    atheris.Setup(
        [
            sys.argv[0],
            f"-max_total_time={given.seconds}",
            f"-timeout={SECONDS_HANGING}",
            f"-max_len={BYTES_AN_INPUT}",
            f"-dict={words}",
            f"-artifact_prefix={OUT}/",
            "-print_final_stats=1",
            f"-seed={given.seed}",
            str(given.corpus),
            str(seeds),
        ],
        lambda data: compile_bytes(data, given.until),
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
