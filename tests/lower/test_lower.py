"""lower: the AST mirrors the source, and every part of it knows its place."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from rspp_compiler.ir import ast
from rspp_compiler.ir.context import Context
from rspp_compiler.ir.dump import to_json
from rspp_compiler.source import Source, Span
from rspp_compiler.syntax.lower import lower
from rspp_compiler.syntax.parse import parse

ROOT = Path(__file__).parents[2]
PIPELINES = ["hello", "voice_assistant"]


class JsonFile(SingleFileSnapshotExtension):
    _write_mode = WriteMode.TEXT
    file_extension = "json"


def program(text: str) -> ast.Program:
    ctx = Context()
    trees = parse((Source("a.rspp", text),), ctx)
    assert trees is not None
    lowered = lower(trees, ctx)
    assert ctx.sink.diagnostics == ()
    return lowered


def read(name: str) -> str:
    return (ROOT / "pipelines" / f"{name}.rspp").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PIPELINES)
def test_golden(name: str, snapshot: SnapshotAssertion) -> None:
    assert to_json(program(read(name)).files[0]) == snapshot(extension_class=JsonFile, name=name)


def parts(value: Any) -> list[Any]:
    """Every AST object below `value`."""
    if isinstance(value, Span):
        return []
    if isinstance(value, tuple | frozenset):
        return [part for item in value for part in parts(item)]
    if dataclasses.is_dataclass(value):
        fields = (getattr(value, field.name) for field in dataclasses.fields(value))
        return [value, *(part for field in fields for part in parts(field))]
    return []


@pytest.mark.parametrize("name", PIPELINES)
def test_spans_cut_out_what_they_name(name: str) -> None:
    text = read(name)
    data = text.encode()
    seen = 0
    for part in parts(program(text).files):
        cut = data[part.span.start : part.span.end].decode()
        lines = text.split("\n")
        assert lines[part.span.line - 1][part.span.column - 1 :].startswith(cut.split("\n")[0])
        match part:
            case ast.Name(text=written) | ast.Number(number=written):
                assert cut == written
            case ast.Ref():
                assert cut == part.text
            case ast.Text():
                assert cut == f'"{part.text}"'
            case ast.Quantity():
                assert cut.replace(" ", "") == part.number + part.unit
            case ast.Setting():
                assert cut.startswith(part.key.text)
            case ast.Settings():
                assert (cut[0], cut[-1]) == ("{", "}")
            case ast.Hop():
                assert cut.startswith("->")
            case _:
                continue
        seen += 1
    assert seen > 10


def test_values() -> None:
    (pipeline,) = (
        program(
            'pipeline a { meta { b = "x\\"\\n\\\\y", c = -6dB, d = 64 items, e = [1, drop_oldest, block(40ms)], f } }'
        )
        .files[0]
        .items
    )
    assert isinstance(pipeline, ast.Pipeline)
    (meta,) = pipeline.lines
    assert isinstance(meta, ast.Meta)
    b, c, d, e, f = (setting.value for setting in meta.settings.items)
    assert isinstance(b, ast.Text)
    assert b.text == 'x"\n\\y'
    assert isinstance(c, ast.Quantity)
    assert (c.number, c.unit) == ("-6", "dB")
    assert isinstance(d, ast.Quantity)
    assert (d.number, d.unit) == ("64", "items")
    assert isinstance(e, ast.List)
    assert [type(item) for item in e.items] == [ast.Number, ast.Ref, ast.Call]
    assert f is None


def test_long_text_loses_the_indentation_it_shares() -> None:
    (pipeline,) = program('pipeline a { meta { b = """\n    One.\n      Two.\n    """ } }').files[0].items
    assert isinstance(pipeline, ast.Pipeline)
    text = next(part for part in parts(pipeline) if isinstance(part, ast.Text))
    assert text.text == "One.\n  Two."


def test_words_of_declarations_are_free_as_keys_ports_and_values() -> None:
    (pipeline,) = program("pipeline pipeline { a.node -> b.mode { record = on, budget = meta } }").files[0].items
    assert isinstance(pipeline, ast.Pipeline)
    (flow,) = pipeline.lines
    assert isinstance(flow, ast.Flow)
    assert flow.start.text == "a.node"
