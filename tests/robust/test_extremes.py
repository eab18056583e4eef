"""Files that nobody writes, and somebody generates: all of them are answered, soon, at the right place."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mutants import assert_sound
from rspp_compiler.diagnostics.render import SHOWN_MAX, render
from rspp_compiler.driver import Result, compile_pipeline
from rspp_compiler.ir.context import Context, Options
from rspp_compiler.syntax.findings import FOUND_MAX

FLOW = "  ingress.audio -> vad -> stt -> llm -> tts -> egress.audio\n"
SECONDS_MAX = 20.0  # of processor time, on a machine that does much else; two are usual for the worst


def compile_text(text: str, until: str = "check", **others: str) -> Result:
    """Compiles `a.rspp`, beside other files, none of which is on disk."""
    began = time.process_time()
    files = {"a.rspp": text, **{f"{name}.rspp": other for name, other in others.items()}}
    result = compile_pipeline([Path("a.rspp")], ctx=Context(options=Options(until=until), overlays=files))
    assert time.process_time() - began < SECONDS_MAX
    if "a.rspp" in result.context.sources:
        assert_sound(result.diagnostics, result.context.sources["a.rspp"])
    return result


def pipeline(*lines: str) -> str:
    return f"pipeline hello {{\n  profile simple/v1\n{FLOW}{''.join(lines)}}}\n"


# ---- much of everything


def module(number: int, count: int) -> str:
    is_last = number == count - 1
    inner = '(a : text) -> (b : text) : python("work:step")' if is_last else f": m{number + 1}"
    return f"module m{number} (given : text) -> (made : text) {{\n  node step {inner}\n  given -> step -> made\n}}\n"


OUTERMOST = pipeline().replace("llm ->", "llm -> outer ->").replace("simple/v1", "simple/v1\n  node outer : m0")


def test_a_hundred_modules_inside_each_other() -> None:
    result = compile_text("".join(module(number, 100) for number in range(100)) + OUTERMOST)
    assert result.diagnostics == ()
    assert any(node.id.count(".") == 100 for node in result.stage("spec").nodes)


def test_a_hundred_files_that_import_each_other() -> None:
    def text(number: int) -> str:
        return f'import m{number + 1} from "lib{number + 1}.rspp"\n' * (number < 99) + module(number, 100)

    libraries = {f"lib{number}": text(number) for number in range(100)}
    assert compile_text('import m0 from "lib0.rspp"\n' + OUTERMOST, **libraries).diagnostics == ()


@pytest.mark.parametrize(
    "lines",
    [
        "".join(
            f"  node n{number} : tap\n  llm.delta -> n{number} {{ buffer = 64 items }}\n" for number in range(16_000)
        ),
        '  meta { note = """' + "Prose, of which there is much.\n" * 33_000 + '""" }\n',
        "# A comment, of which there is much.\n" * 27_000,
        " " * 1_000_000 + "\n",
        "\n" * 1_000_000,
        "  meta { x = 1" + "".join(f", key_{number} = 2" for number in range(66_000)) + " }\n",
    ],
    ids=["nodes", "a text", "comments", "blanks", "line ends", "a line"],
)
def test_a_megabyte(lines: str) -> None:
    assert len(pipeline(lines)) > 900_000
    assert compile_text(pipeline(lines), until="lower").diagnostics == ()


def test_brackets_are_nested_as_deep_as_anybody_needs() -> None:
    deep = [found.message for found in compile_text(pipeline(f"  meta {{ a = {'[' * 60}1{']' * 60} }}\n")).diagnostics]
    assert deep == ["`a` of meta takes a text, a number or a name, not a list"]
    deeper = compile_text(pipeline(f"  meta {{ a = {'[' * 70}1{']' * 70} }}\n")).diagnostics
    assert [found.message for found in deeper] == ["brackets are nested deeper than 64"]


@pytest.mark.parametrize("word", ["or", "and", "and not"])
def test_a_condition_is_as_long_as_anybody_needs(word: str) -> None:
    def found(count: int) -> list[str]:
        condition = f" {word} ".join(["event.words > 1"] * count)
        return [one.message for one in compile_text(pipeline(f"  stt.partial -> tap when {condition}\n")).diagnostics]

    assert found(45) == []
    assert found(110) == ["more than 100 of `and`, `or` and `not` in one line"]


# ---- many mistakes


def test_ten_thousand_syntax_errors_are_counted() -> None:
    lines = [f"  nod n{number} : tap\n" for number in range(10_000)]
    result = compile_text(pipeline(*lines))
    assert len(result.diagnostics) == FOUND_MAX + 1 == SHOWN_MAX
    assert result.diagnostics[-1].message == f"{10_000 - FOUND_MAX} more lines of this file cannot be read"


def test_ten_thousand_wrong_names_are_counted() -> None:
    result = compile_text(pipeline(*(f"  node n{number} : tep\n" for number in range(10_000))))
    assert len(result.diagnostics) == 10_000
    shown = render(result.diagnostics, result.context.sources)
    assert shown.count("error[") == SHOWN_MAX
    assert "9900 more" in shown


# ---- how files are written


WRITTEN = pipeline("  # 日本 👋🏽\n", '\tnode sorry : say { text = "日本 👋é" } -> x\n')
FORMS = {
    "as it is": WRITTEN.encode(),
    "with CRLF": WRITTEN.replace("\n", "\r\n").encode(),
    "with a byte order mark": b"\xef\xbb\xbf" + WRITTEN.encode(),
    "without a last line end": WRITTEN.rstrip().encode(),
}


@pytest.mark.parametrize("data", FORMS.values(), ids=FORMS)
def test_columns_are_right_however_a_file_is_written(data: bytes, tmp_path: Path) -> None:
    """Columns count characters; the carets stand under what the terminal shows, tabs and wide characters included."""
    path = tmp_path / "a.rspp"
    path.write_bytes(data)
    result = compile_pipeline([path], Options(until="check"))
    (found,) = (one for one in result.diagnostics if one.code == "E0110")
    assert (found.primary.line, found.primary.column) == (5, 38)
    assert data[found.primary.start : found.primary.end] == b"->"
    text, carets = render([found], result.context.sources).split("\n")[3:5]
    assert text == '5 |     node sorry : say { text = "日本 👋é" } -> x'
    assert carets == "  |" + " " * 44 + "^^"


@pytest.mark.parametrize(
    ("data", "code", "line", "column"),
    [
        (b"pipeline a {\n  b -> \x00c\n}\n", "E0103", 2, 8),
        (b"pipeline a {\n  b -> \xffc\n}\n", "E0102", 2, 8),
        ("pipeline a {\n  b -> c\u202e\n}\n".encode(), "E0103", 2, 9),
        ("pipeline a {\n  b\u00a0-> c\n}\n".encode(), "E0110", 2, 4),
        ("pipeline a {\n  b -> 👋🏽\n}\n".encode(), "E0110", 2, 8),
        ("pipeline a {\n  b -> naïve\n}\n".encode(), "E0110", 2, 8),
        ("pipeline a {\n  b -> ﬁne\n}\n".encode(), "E0110", 2, 8),
        (b"pipeline a {\r  b => c\r}\r", "E0110", 1, 18),
    ],
    ids=["NUL", "invalid UTF-8", "override", "no-break space", "emoji", "accent", "ligature", "CR alone"],
)
def test_strange_characters_are_named_where_they_are(
    data: bytes, code: str, line: int, column: int, tmp_path: Path
) -> None:
    path = tmp_path / "a.rspp"
    path.write_bytes(data)
    found = compile_pipeline([path], Options(until="lower")).diagnostics
    assert [(one.code, one.primary.line, one.primary.column) for one in found] == [(code, line, column)]
