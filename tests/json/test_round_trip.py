"""Every program has a document, and every document its program: nothing is lost but the order of sorts."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings

from corpus import WHOLE_LANGUAGE, read
from corpus import files as on_disk
from json_documents import document, sorted_by_sort, understood
from rspp_compiler.ir import ast
from rspp_compiler.syntax.format import same_meaning
from rspp_compiler.syntax.print import print_file
from syntax_strategies import files

MANY = settings(max_examples=40, suppress_health_check=list(HealthCheck))


@MANY
@given(files())
def test_any_program_comes_back(file: ast.File) -> None:
    file = sorted_by_sort(file)
    text = document(file)
    json.loads(text)
    back = understood(text)
    assert same_meaning(back.items, file.items), text
    assert document(back, text) == text


@MANY
@given(files(most=2))
def test_what_was_read_from_json_can_be_printed(file: ast.File) -> None:
    back = understood(document(sorted_by_sort(file)))
    assert same_meaning(understood(print_file(back), "example.rspp").items, back.items)


@pytest.mark.parametrize("path", on_disk("pipelines", "tests/fmt/samples"), ids=lambda path: path.stem)
def test_a_written_program_comes_back(path: object) -> None:
    _comes_back(read(path))  # type: ignore[arg-type]


def test_the_whole_language_comes_back() -> None:
    _comes_back(WHOLE_LANGUAGE)


def _comes_back(text: str) -> None:
    file = understood(text, "example.rspp")
    made = document(file, text)
    assert same_meaning(understood(made).items, sorted_by_sort(file).items)
