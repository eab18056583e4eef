"""`# rspp: allow W0301 because …`: which line it is about, and how it is judged itself."""

from __future__ import annotations

import pytest

from linting import codes, fixed, lint

BODY = "  ingress.audio -> vad -> stt -> llm -> egress.text\n}\n"
BARE = "pipeline log {\n" + BODY  # W0101, on its first line
WHY = "because it is young"


@pytest.mark.parametrize(
    "text",
    [
        f"pipeline log {{  # rspp: allow W0101 {WHY}\n{BODY}",
        f"# rspp: allow W0101 {WHY}\n{BARE}",
        f"# rspp: allow W0101 {WHY}\n# It logs.\n\n{BARE}",
        f"# rspp: allow W0104, W0101 {WHY}\n{BARE}".replace("W0104, ", ""),
        f"#rspp:allow W0101 {WHY}  \r\n{BARE}",
    ],
)
def test_the_line_it_ends_or_the_next(text: str) -> None:
    assert codes(text) == []


@pytest.mark.parametrize(
    "text",
    [
        f"{BARE}# rspp: allow W0101 {WHY}\n",
        f"provider stt {{ use pocketsphinx }}  # rspp: allow W0101 {WHY}\n{BARE}",
        f"# rspp: allow W0101 {WHY}\nprovider stt {{ use pocketsphinx }}\n{BARE}",
    ],
)
def test_no_other_line(text: str) -> None:
    assert sorted(codes(text)) == ["W0003", "W0101"]


def test_texts_are_no_comments() -> None:
    text = BARE.replace("llm ->", "llm ->").replace(
        "  ingress", f'  node llm {{ system = """\n# rspp: allow W0101 {WHY}\n""" }}\n  ingress'
    )
    assert codes(text) == ["W0101"]


def test_several_codes_each_for_itself() -> None:
    text = f"# rspp: allow W0101, W0301 W0103 {WHY}\n{BARE}"
    assert codes(text) == ["W0003", "W0003"]
    assert fixed(text, "W0003") == f"# rspp: allow W0101 {WHY}\n{BARE}"


def test_without_a_reason_it_allows_and_is_found_itself() -> None:
    for comment in ("# rspp: allow W0101", "# rspp: allow W0101 because", "# rspp: allow W0101 because  "):
        assert codes(f"{comment}\n{BARE}") == ["W0001"]
        assert fixed(f"{comment}\n{BARE}", "W0001") == BARE
        assert fixed(f"pipeline log {{  {comment}\n{BODY}", "W0001") == BARE


def test_a_misspelt_code_is_put_right() -> None:
    assert fixed(f"# rspp: allow W101 {WHY}\n{BARE}", "W0002") == f"# rspp: allow W0101 {WHY}\n{BARE}"


def test_what_is_no_code_is_removed() -> None:
    assert fixed(f"# rspp: allow everything {WHY}\n{BARE}", "W0002") == BARE
    assert fixed(f"# rspp: allow {WHY}\n{BARE}", "W0002") == BARE
    assert fixed(f"# rspp: allow W0101, please {WHY}\n{BARE}", "W0002") == f"# rspp: allow W0101 {WHY}\n{BARE}"


def test_a_warning_of_the_compiler_can_be_allowed() -> None:
    engine = 'provider llm { use openai { model = "m", api_key = secret("env://KEY") }, use scripted }'
    here = f"# rspp: allow E0909 because the servers have the adapter\n{engine}\n"
    assert codes(f"{BARE}{engine}\n", until="check") == ["W0101", "E0909"]
    assert codes(f"{BARE}{here}", until="check") == ["W0101"]
    local = here.replace(engine, "provider llm { use scripted }")
    assert codes(f"{local}{BARE}", until="check") == ["W0003", "W0101"]


def test_an_error_cannot_be_allowed() -> None:
    (found,) = [one for one in lint(f"# rspp: allow E0203 {WHY}\n{BARE}") if one.code == "W0002"]
    assert found.message == "an error cannot be allowed"


def test_a_rule_that_did_not_look_has_nothing_to_judge() -> None:
    """W0501 needs the analysis, which did not run; and a rule that the project ignores was not asked."""
    assert codes(f"# rspp: allow W0501 {WHY}\n{BARE}") == ["W0101"]
    ignored = {"rspp.toml": '[lint]\nignore = ["W0103"]\n'}
    assert codes(f"# rspp: allow W0103 {WHY}\n{BARE}", **ignored) == ["W0101"]
