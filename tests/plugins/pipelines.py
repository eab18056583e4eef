"""For tests of the compiler: pipelines from text or from `pipelines/`, compiled up to a pass; goldens by real names."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from rspp_compiler.driver import Result, compile_pipeline
from rspp_compiler.ir.context import Context, Options

ROOT = Path(__file__).parents[2]
NAMES = ("hello", "voice_assistant")

HELLO = """pipeline hello {
  profile simple/v1
  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio
}
"""

# Every kind of node, a Python node inside a turn, a fallback and a mode.
SHOP = """pipeline shop version "1.2.0" {
  profile simple/v1

  node ears   : vad
  node notes  : tap
  node sorry  : say { text = "Sorry?" }
  node polish (draft : text) -> (text : text) : python("shop_nodes:polish")

  ingress.audio -> ears -> stt -> llm -> polish -> tts -> egress.audio
  stt.partial   -> notes
  llm.delta     -> egress.text

  on ears.barge_in           -> cancel turn
  on llm.timeout or error    -> sorry -> tts
  on tts.error               -> degrade text_only

  mode text_only { off = [tts] }
}
"""


def shipped(name: str) -> Path:
    """The file of a pipeline that we ship."""
    return ROOT / "pipelines" / f"{name}.rspp"


def compile_file(path: Path, until: str = "freeze", **options: Any) -> Result:
    return compile_pipeline([path], ctx=Context(options=Options(until=until, **options)))


def compile_pipeline_at(path: Path, ctx: Context) -> Result:
    """Compiles a file with a context of the test's own."""
    return compile_pipeline([path], ctx=ctx)


def compile_text(text: str, until: str = "freeze", name: str = "example.rspp", **options: Any) -> Result:
    """Compiles a text as a file of that name, in a folder of its own that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_text(text, encoding="utf-8")
        return compile_file(path, until, **options)


def codes(result: Result) -> list[str]:
    return [found.code for found in result.diagnostics]


def value(result: Result, of_pass: str) -> Any:
    """What a pass made; fails with the findings if the compilation did not come that far."""
    assert of_pass in result.values, [f"{found.code} {found.message}" for found in result.diagnostics]
    return result.values[of_pass]


class TextFile(SingleFileSnapshotExtension):
    """A golden with a file name of its own: `snapshot(name="voice_assistant", extension_class=golden("json"))`."""

    _write_mode = WriteMode.TEXT

    @classmethod
    def get_snapshot_name(cls, *, test_location: PyTestLocation, index: SnapshotIndex = 0) -> str:
        return index if isinstance(index, str) else super().get_snapshot_name(test_location=test_location, index=index)


def golden(extension: str) -> type[TextFile]:
    """A golden's class for files that end in `.extension`."""
    return type(f"{extension.title()}File", (TextFile,), {"file_extension": extension})
