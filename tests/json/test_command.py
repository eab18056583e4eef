"""The commands on `.json` files: `fmt --to` and back, `fmt` in place, and all the others as on a `.rspp`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from json_documents import read
from pipelines import compile_file, shipped
from rspp_compiler.cli.app import app

TIDY = """{
  "schema_version": "rspp.pipeline.spec.v1",
  "spec_id": "hello",
  "graph_definition_ref": "hello/0.0.0",
  "nodes": [
    { "node_id": "ears", "kind": "vad", "settings": { "min_silence": "300ms" } }
  ],
  "edges": [
    {
      "from": "ingress.audio",
      "to": "ears",
      "then": [{ "to": "stt" }, { "to": "llm" }, { "to": "tts" }, { "to": "egress.audio" }]
    }
  ]
}
"""
RSPP = """pipeline hello {
  node ears : vad { min_silence = 300ms }

  ingress.audio -> ears -> stt -> llm -> tts -> egress.audio
}
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hello.json").write_text(TIDY, encoding="utf-8")
    Path("hello.rspp").write_text(RSPP, encoding="utf-8")


def rsppc(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


# ---- fmt --to


def test_from_one_notation_to_the_other() -> None:
    assert rsppc("fmt", "--to", "rspp", "hello.json").output == RSPP
    assert rsppc("fmt", "--to", "json", "hello.rspp").output == TIDY


def test_to_the_notation_that_it_has() -> None:
    """The canonical form, with what a way through the other one would lose."""
    Path("hello.rspp").write_text(RSPP.replace("300ms }", "300ms }   # why"), encoding="utf-8")
    assert rsppc("fmt", "--to", "rspp", "hello.rspp").output == RSPP.replace("300ms }", "300ms }  # why")
    assert rsppc("fmt", "--to", "json", "hello.json").output == TIDY


def test_into_a_file() -> None:
    done = rsppc("fmt", "--to", "json", "hello.rspp", "-o", "other/hello.json")
    assert (done.exit_code, done.output) == (0, "")
    assert Path("other/hello.json").read_text(encoding="utf-8") == TIDY
    assert Path("hello.rspp").read_text(encoding="utf-8") == RSPP


def test_comments_that_are_lost_are_counted() -> None:
    Path("hello.rspp").write_text(f"# one\n{RSPP}# two\n", encoding="utf-8")
    done = rsppc("fmt", "--to", "json", "hello.rspp")
    assert (done.exit_code, done.stdout) == (0, TIDY)
    assert done.stderr == "rsppc fmt: 2 comments have no place in JSON; `meta` holds notes\n"


@pytest.mark.parametrize("name", ["hello", "voice_assistant"])
def test_there_and_back(name: str) -> None:
    """The pipelines that we ship: only their comments, and the order of sorts, are not kept."""
    rsppc("fmt", "--to", "json", str(shipped(name)), "-o", "there.json")
    rsppc("fmt", "--to", "rspp", "there.json", "-o", "back.rspp")
    rsppc("fmt", "--to", "json", "back.rspp", "-o", "again.json")
    assert Path("there.json").read_bytes() == Path("again.json").read_bytes()


def test_texts_whose_variables_are_none() -> None:
    """`\\${` is no variable, there and back."""
    text = RSPP.replace("  node ears", '  node hi : say { text = "${session.name}: \\${x}" }\n  node ears')
    Path("hi.rspp").write_text(text, encoding="utf-8")
    rsppc("fmt", "--to", "json", "hi.rspp", "-o", "hi.json")
    assert '"${session.name}: \\u0024{x}"' in Path("hi.json").read_text(encoding="utf-8")
    assert '"${session.name}: \\${x}"' in rsppc("fmt", "--to", "rspp", "hi.json").output


def test_what_cannot_be_read_is_not_written() -> None:
    Path("bad.json").write_text(TIDY.replace('"to": "ears"', '"too": "ears"'), encoding="utf-8")
    done = rsppc("fmt", "--to", "rspp", "bad.json", "-o", "out.rspp")
    assert done.exit_code == 1
    assert "E0121" in done.stderr
    assert not Path("out.rspp").exists()
    assert rsppc("fmt", "--to", "json", "nothing.rspp").exit_code == 2


def test_what_a_rspp_cannot_say() -> None:
    """A setting of a provider called like its own line: no pass would take it either."""
    text = TIDY.replace(
        '  "edges": [', '  "providers": [{ "provider_id": "vad", "settings": { "use": 1 } }],\n  "edges": ['
    )
    Path("odd.json").write_text(text, encoding="utf-8")
    done = rsppc("fmt", "--to", "rspp", "odd.json")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "E0129" in done.stderr


def test_one_document_is_one_pipeline() -> None:
    Path("two.rspp").write_text(RSPP + RSPP.replace("hello", "other"), encoding="utf-8")
    done = rsppc("fmt", "--to", "json", "two.rspp")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "a second pipeline has no place in a JSON document" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--to", "json", "--check", "hello.rspp"),
        ("--to", "json", "--stdin"),
        ("--to", "yaml", "hello.rspp"),
        ("-o", "x.rspp", "hello.rspp"),
        ("--to", "json", "-o", "x.json", "hello.rspp", "hello.json"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...]) -> None:
    assert rsppc("fmt", *arguments).exit_code == 2


# ---- fmt in place


def test_documents_are_laid_out_like_any_file() -> None:
    Path("hello.json").write_text(json.dumps(json.loads(TIDY)), encoding="utf-8")
    assert rsppc("fmt", "--check", "hello.json").output == "would change: hello.json\n"
    assert rsppc("fmt", "hello.json").output == "formatted: hello.json\n"
    assert Path("hello.json").read_text(encoding="utf-8") == TIDY
    assert rsppc("fmt", "hello.json").output == ""


def test_a_bundle_is_laid_out_by_itself() -> None:
    bundle = {"schema_version": "rspp.pipeline.bundle.v1", "bundle_id": "hello", "spec": "hello.json"}
    Path("hello.bundle.json").write_text(json.dumps(bundle, indent=8), encoding="utf-8")
    assert rsppc("fmt", "hello.bundle.json").output == "formatted: hello.bundle.json\n"
    assert json.loads(Path("hello.bundle.json").read_text(encoding="utf-8")) == bundle


# ---- the other commands


def test_check_resolve_graph_lint_diff() -> None:
    of_both = [(rsppc(*command, "hello.json"), rsppc(*command, "hello.rspp")) for command in (("check",), ("graph",))]
    for of_json, of_rspp in of_both:
        assert (of_json.exit_code, of_json.output) == (0, of_rspp.output)
    assert "hello.json:6" in rsppc("resolve", "hello.json", "--only", "ears").output
    assert [line for line in rsppc("lint", "hello.json").output.splitlines() if line.startswith("warning")] == [
        line for line in rsppc("lint", "hello.rspp").output.splitlines() if line.startswith("warning")
    ]
    assert rsppc("diff", "hello.rspp", "hello.json").output == "the same pipeline\n"


@pytest.mark.feature("F-126", "invalid")
def test_check_names_file_line_and_field() -> None:
    Path("hello.json").write_text(TIDY.replace("min_silence", "min_silense"), encoding="utf-8")
    done = rsppc("check", "hello.json")
    assert done.exit_code == 1
    assert "--> hello.json:6:56" in done.output
    assert "this is `nodes[0].settings.min_silense`" in done.output
    (found,) = json.loads(rsppc("check", "--json", "hello.json").output)
    assert (found["primary"]["file"], found["primary"]["line"]) == ("hello.json", 6)
    assert "this is `nodes[0].settings.min_silense`" in found["notes"]
    assert rsppc("check", "--fix", "hello.json").exit_code == 0
    assert Path("hello.json").read_text(encoding="utf-8") == TIDY


def test_build_emits_every_stage() -> None:
    for stage in ("ast", "spec", "graph", "analysis", "layout", "plan"):
        done = rsppc("build", "hello.json", "--emit", stage)
        assert done.exit_code == 0
        assert json.loads(done.stdout)


def test_the_package_of_a_document_is_that_of_its_rspp() -> None:
    """The same files, and the same kernel but for the places that it names."""
    packages = []
    for name in ("hello.json", "hello.rspp"):
        result = compile_file(Path(name), "render")
        packages.append({path: result.values["render"].text(path) for path in result.values["render"].contents})
    of_json, of_rspp = packages
    assert of_json.keys() == of_rspp.keys()
    kernel = "src/hello/_kernel.pyx"
    assert places_out(of_json[kernel]) == places_out(of_rspp[kernel])


def places_out(text: str) -> str:
    return re.sub(r"hello\.(json|rspp)(:\d+)?|  +", "", text)


@pytest.mark.parametrize("text", ["", "   \n", "\ufeff"])
def test_an_empty_document_gets_a_beginning(text: str) -> None:
    Path("my-agent.json").write_text(text, encoding="utf-8")
    done = rsppc("check", "my-agent.json", "--fix")
    assert done.exit_code == 0, done.output
    assert json.loads(Path("my-agent.json").read_text(encoding="utf-8-sig"))["spec_id"] == "my_agent"


def test_a_byte_order_mark_does_not_shift_a_fix() -> None:
    Path("hello.json").write_text("\ufeff" + TIDY.replace('"kind": "vad"', '"kind": "vda"'), encoding="utf-8")
    assert rsppc("check", "--fix", "hello.json").exit_code == 0
    assert read(Path("hello.json").read_text(encoding="utf-8-sig"))[1].sink.diagnostics == ()
