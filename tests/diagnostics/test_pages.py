"""Every code of the catalogue: its page is executed, and its fix applied.

The bad example causes the code, and how that is printed is a golden; the good one is clean; the fix that is printed
with the code clears it, and brings no error of its own.
"""

from __future__ import annotations

import functools
import re

import pytest
from syrupy.assertion import SnapshotAssertion

from code_pages import KINDS, example, fence, fences, fixed, has, shell
from pipelines import golden
from rspp_compiler.diagnostics.catalog import CODES, page

FIXED_MIN = 184  # what the compiler promises; `pytest -s` prints the count of today

# No change of a text clears these. Where a command does, it is on the page.
EXEMPT = {
    "E0105": "another kind of file was named: nobody can tell which one was meant",
    "E0106": "nothing says which part of the file should go",
    "E0602": "where a pipeline can be split, only its author knows",
    "E0604": "what can be left out of a file, only its author knows",
    "E0705": "the installation lacks a part",
    "E0706": "a mistake of the compiler or of the toolchain",
    "W0103": "who answers for a pipeline, the text does not say",
    "W0104": "a fix changes files and makes none",
    "W0105": "what is worth saying, only its author knows",
    "W0602": "where recordings may lie, the text does not say",
    "E0708": "wheels are missing, or the tool that builds images refuses",
}
# And these cannot be caused by a command either, but only by an installation that is broken: `tests/compile` breaks it.
WITHOUT_EXAMPLE = {"E0705", "E0706"}

ALL = sorted(CODES)


def printed(code: str) -> str:
    """The finding that the bad example's commands print, without what else they say."""
    said, _, _ = shell(code)
    assert "Traceback" not in said
    found = re.search(rf"^(?:error|warning)\[{code}\](?:.*\n)+?(?=\n|\Z)", said, re.MULTILINE)
    assert found is not None, said
    # What other programs say differs from one machine to the next.
    is_of_tools = code in ("E0707", "E0708")
    return re.sub(r"= note: .*?(?=\n *= help)", "= note: …", found[0], flags=re.DOTALL) if is_of_tools else found[0]


@pytest.mark.parametrize("code", ALL)
def test_page(code: str) -> None:
    text = page(code)
    heading, paragraph, *_ = text.split("\n\n")
    assert heading == f"# {code}: {CODES[code].title}"
    assert paragraph.strip()
    assert not paragraph.startswith("```")
    assert {one.kind for one in fences(code)} <= set(KINDS)
    assert text.count("\n```") == 2 * len(fences(code)), "a fence without a purpose"
    assert has(code, "good")
    assert not (has(code, "bad") and fence(code, "sh", "bad")), "two examples of what is wrong"


@pytest.mark.parametrize("code", [code for code in ALL if code not in WITHOUT_EXAMPLE])
def test_bad_example(code: str, snapshot: SnapshotAssertion) -> None:
    if fence(code, "sh", "bad"):
        text = printed(code)
    else:
        assert code in example(code, "bad").codes
        text = example(code, "bad").printed
    assert text == snapshot(name=code, extension_class=golden("txt"))


@pytest.mark.parametrize("code", ALL)
def test_good_example(code: str) -> None:
    good = example(code, "good")
    assert code not in good.codes
    # A page of `lint` is about its own rule, and what others think of the example would only distract. Of remote
    # engines an example may well speak: E0909 warns that none of them is installed here.
    others = good.errors if code.startswith("W") else [one for one in good.codes if one != "E0909"]
    assert others == [], good.printed


@functools.cache
def outcome(code: str) -> tuple[bool, str]:
    """Whether the code has a fix, as a command of its page or with the bad example's findings; and what is wrong."""
    if not fences(code):
        return False, ""
    if fence(code, "sh", "fix"):
        _, exit_code, said = shell(code)
        return True, said if exit_code or f"[{code}]" in said else ""
    after = fixed(code) if has(code, "bad") else None
    if after is None:
        return False, ""
    is_cleared = code not in after.codes and set(after.errors) <= set(example(code, "bad").errors)
    return True, "" if is_cleared else after.printed


@pytest.mark.parametrize("code", ALL)
def test_fix(code: str) -> None:
    """Every code has a fix that clears it, or an excuse, and not both."""
    has_fix, wrong = outcome(code)
    assert not wrong, wrong
    assert has_fix or code in EXEMPT, f"{code} has no fix"
    assert not (has_fix and code in EXEMPT), f"{code} has a fix: it needs no excuse"


def test_summary(capsys: pytest.CaptureFixture[str]) -> None:
    with_fix = len(ALL) - len(EXEMPT)  # `test_fix` applies each
    with capsys.disabled():
        print(f"\n{len(ALL)} codes, {with_fix} with an applied fix, {len(EXEMPT)} excused")
    assert with_fix >= FIXED_MIN
    assert EXEMPT.keys() | WITHOUT_EXAMPLE <= set(ALL)
