"""An editor's session with the real server, over JSON-RPC: a file with emoji in it is opened, mended, asked about,
renamed and formatted.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lsp_client import Editor
from rspp_compiler.cli.lsp import serve

ROOT = Path(__file__).parents[2]

TEXT = """# An agent 🎙️ that is polite.
pipeline polite {
  profile simple/v1

  node ears  : vad { min_silence = 300ms }
  node hello : say { text = "👋🏽 Hello!" }   # 🙂 greets
  node voice : tts

  ingress.audio -> ears -> sst -> llm -> voice -> egress.audio

  on session.connected -> hello -> voice
}
"""


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    """One session for tests that leave it as it was."""
    with Editor(tmp_path_factory.mktemp("session"), "utf-8") as session:
        yield session


def test_a_session(tmp_path: Path) -> None:
    text = TEXT.replace('"👋🏽 Hello!" }', '"👋🏽 Hello!", txt = 1 }')
    with Editor(tmp_path) as editor:
        assert editor.server_capabilities["positionEncoding"] == "utf-16"

        # A finding appears, right behind an emoji and exactly where it is.
        editor.open("polite.rspp", text)
        found = {one["code"]: one for one in editor.diagnostics("polite.rspp")}
        assert {"E0203", "E0301"} <= found.keys()
        unknown = found["E0203"]
        assert editor.cut("polite.rspp", unknown["range"]) == "sst"
        assert editor.cut("polite.rspp", found["E0301"]["range"]) == "txt"
        assert unknown["source"] == "rsppc"
        assert unknown["severity"] == 1
        assert "did you mean `stt`?" in unknown["message"]
        page = unknown["codeDescription"]["href"]
        assert page.endswith("/codes/E0203.md")
        assert Path(page.removeprefix("file://")).is_file()

        # Its fix is an action; when it is made, the finding is gone.
        asked = {"textDocument": {"uri": editor.uri("polite.rspp")}, "context": {"diagnostics": [unknown]}}
        actions = editor.request("textDocument/codeAction", range=unknown["range"], **asked)
        (fix,) = [one for one in actions if one["kind"] == "quickfix"]
        assert fix["title"] == "Replace `sst` with `stt`"
        editor.apply(fix["edit"])
        assert "-> stt ->" in editor.texts["polite.rspp"]
        assert "E0203" not in {one["code"] for one in editor.diagnostics("polite.rspp")}
        editor.type("polite.rspp", editor.texts["polite.rspp"].replace(", txt = 1", ""))
        assert [one for one in editor.diagnostics("polite.rspp") if one["severity"] == 1] == []

        # Hover tells what a node is, and what its budget is of.
        hover = editor.request("textDocument/hover", **editor.at("polite.rspp", "-> ^llm"))
        assert editor.cut("polite.rspp", hover["range"]) == "llm"
        assert "800ms" in hover["contents"]["value"]
        assert "execution_profile/simple/v1" in hover["contents"]["value"]

        # To its declaration, and to every place that names it.
        (declared,) = editor.request("textDocument/definition", **editor.at("polite.rspp", "llm -> ^voice"))
        assert (
            editor.position("polite.rspp", editor.texts["polite.rspp"].index("voice : tts"))
            == declared["range"]["start"]
        )
        context = {"includeDeclaration": True}
        places = editor.request("textDocument/references", context=context, **editor.at("polite.rspp", "node ^ears"))
        assert [editor.cut("polite.rspp", one["range"]) for one in places] == ["ears", "ears"]

        # Completion behind a dot, in a line that does not parse yet.
        typed = editor.texts["polite.rspp"].replace("\n}\n", "\n  on ears.\n}\n")
        editor.type("polite.rspp", typed)
        items = editor.request("textDocument/completion", **editor.at("polite.rspp", "on ears.^"))
        assert {"barge_in", "speech_end", "idle"} <= {item["label"] for item in items}
        barge_in = next(item for item in items if item["label"] == "barge_in")
        editor.edit("polite.rspp", [barge_in["textEdit"]])
        editor.type(
            "polite.rspp", editor.texts["polite.rspp"].replace("on ears.barge_in", "on ears.barge_in -> cancel turn")
        )
        assert [one for one in editor.diagnostics("polite.rspp") if one["severity"] == 1] == []

        # A rename reaches the flow and the reaction; a name that is taken is refused with the reason.
        place = editor.at("polite.rspp", "node ^ears")
        prepared = editor.request("textDocument/prepareRename", **place)
        assert prepared["placeholder"] == "ears"
        refused = editor.ask("textDocument/rename", newName="voice", **place)["error"]
        assert refused["message"] == "`voice` is already a node, in line 7 of polite.rspp"
        editor.apply(editor.request("textDocument/rename", newName="detector", **place))
        assert editor.texts["polite.rspp"].count("detector") == 3
        assert "ears" not in editor.texts["polite.rspp"]
        assert [one for one in editor.diagnostics("polite.rspp") if one["severity"] == 1] == []

        # The canonical form; asked again, there is nothing to do.
        options = {"textDocument": {"uri": editor.uri("polite.rspp")}, "options": {"tabSize": 2, "insertSpaces": True}}
        editor.edit("polite.rspp", editor.request("textDocument/formatting", **options))
        assert "👋🏽 Hello!" in editor.texts["polite.rspp"]
        assert editor.request("textDocument/formatting", **options) == []
        assert editor.close() == 0
        assert editor.logged == []


def test_columns_behind_emoji_in_another_encoding(editor: Editor) -> None:
    """The client's units are negotiated; places behind an emoji are right in both directions."""
    assert editor.server_capabilities["positionEncoding"] == "utf-8"
    editor.open("emoji.rspp", 'pipeline a {\n  node hello : say { text = "👩🏽‍🚀 é", txt = 1 }\n}\n')
    found = [one for one in editor.diagnostics("emoji.rspp") if one["code"] == "E0301"]
    assert [editor.cut("emoji.rspp", one["range"]) for one in found] == ["txt"]
    hover = editor.request("textDocument/hover", **editor.at("emoji.rspp", "^txt"))
    assert editor.cut("emoji.rspp", hover["range"]) == "txt"


def test_an_import_leads_into_the_other_file(editor: Editor) -> None:
    library = 'module clean version "1.0.0" (raw : audio) -> (out : audio) {\n  raw -> vad -> out\n}\n'
    (editor.folder / "audio.rspp").write_text(library, encoding="utf-8")
    text = 'import clean from "audio.rspp"\npipeline a {\n  ingress.audio -> clean -> stt\n}\n'
    editor.open("a.rspp", text)
    (there,) = editor.request("textDocument/definition", **editor.at("a.rspp", "import ^clean"))
    assert there["uri"] == editor.uri("audio.rspp")
    assert there["range"]["start"] == {"line": 0, "character": 7}
    # Renamed in the library, which is open by now: the importing file follows.
    editor.open("audio.rspp", library)
    edit = editor.request("textDocument/rename", newName="quiet", **editor.at("audio.rspp", "module ^clean"))
    editor.apply(edit)
    assert editor.texts["a.rspp"] == text.replace("clean", "quiet")
    assert "module quiet version" in editor.texts["audio.rspp"]


def test_nothing_that_is_typed_breaks_the_session(editor: Editor) -> None:
    """Half a file, no file, a NUL, brackets without end: every request is answered, and the session goes on."""
    good = "pipeline a {\n  node ears : vad\n  ingress.audio -> ears -> stt -> llm -> tts -> egress.audio\n}\n"
    broken = [good[:half] for half in range(0, len(good), 9)] + ["", "\x00", "((((" * 50, '"""', "�\u2028\r\r\n", "🎉"]
    editor.open("good.rspp", good)
    editor.diagnostics("good.rspp")
    for text in broken:
        editor.type("good.rspp", text)
        document = {"textDocument": {"uri": editor.uri("good.rspp")}}
        end = {"position": {"line": text.count("\n"), "character": 3}}
        for method in ("hover", "definition", "completion", "documentHighlight"):
            assert "error" not in editor.ask(f"textDocument/{method}", **document, **end)
        for method in ("documentSymbol", "semanticTokens/full"):
            assert "error" not in editor.ask(f"textDocument/{method}", **document)
        options = {"tabSize": 2, "insertSpaces": True}
        assert "error" not in editor.ask("textDocument/formatting", **document, options=options)
    editor.type("good.rspp", good)
    assert [one for one in editor.diagnostics("good.rspp") if one["severity"] == 1] == []
    assert editor.logged == []


def test_without_its_library_it_says_how_to_install(tmp_path: Path) -> None:
    """`rsppc lsp` where pygls is not installed: one line, exit code 2."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in ('pygls', 'lsprotocol'):\n"
        "            raise ModuleNotFoundError(f'No module named {name!r}', name=name)\n"
        "sys.meta_path.insert(0, Hidden())\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "rspp_compiler.cli", "lsp"]
    paths = {"PYTHONPATH": str(tmp_path), "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=paths, cwd=ROOT, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'rsppc lsp: the language server is not installed here: pip install "rspp-compiler[lsp]"\n'


def test_tcp_serves_this_machine_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert serve(port).startswith(f"cannot listen on 127.0.0.1:{port}: ")
    command = [sys.executable, "-m", "rspp_compiler.cli", "lsp", "--tcp", str(port)]
    with subprocess.Popen(command) as server:
        try:
            client = _connected(port)
            body = b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}'
            client.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
            assert b'"hoverProvider":true' in client.recv(65536).replace(b" ", b"")
            client.close()
        finally:
            server.terminate()


def _connected(port: int) -> socket.socket:
    for _ in range(200):
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except ConnectionRefusedError:
            time.sleep(0.05)
    raise AssertionError("the server does not listen")
