"""Secrets are references until the provider is made (docs/language.md, Values)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from loading import module_of
from rspp_runtime.session import package
from rspp_runtime.session.package import PackageError, make_providers

scripted: Any = module_of("rspp_scripted", Path(__file__).with_name("scripted.py"))


def revealed(monkeypatch: pytest.MonkeyPatch, reference: str) -> str:
    """What the provider of a node gets for that reference."""
    got: list[Mapping[str, Any]] = []

    class Made:
        async def prepare(self) -> None: ...

    def create(name: str, options: Mapping[str, Any], resources: Mapping[str, bytes]) -> Made:
        got.append(options)
        return Made()

    monkeypatch.setattr(package, "create", create)
    made = scripted.package(scripted.plan())
    bound = {"llm": (("large", {"api_key": {"secret": reference}, "model": "x"}),)}
    asyncio.run(make_providers(package.Package(**{f: getattr(made, f) for f in made.__slots__} | {"providers": bound})))
    assert got[0]["model"] == "x"
    return str(got[0]["api_key"])


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_KEY", "s3cret")
    assert revealed(monkeypatch, "env://A_KEY") == "s3cret"


@pytest.mark.parametrize("text", ["s3cret", "s3cret\n", "s3cret\r\n"])
def test_from_a_file_without_the_end_of_its_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str) -> None:
    (tmp_path / "key").write_bytes(text.encode())
    assert revealed(monkeypatch, f"file://{tmp_path}/key") == "s3cret"


def test_a_file_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"api_key needs the file .*/key, which cannot be read: No such"):
        revealed(monkeypatch, f"file://{tmp_path}/key")


def test_a_file_that_is_empty_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("\n")
    with pytest.raises(PackageError, match="which is empty"):
        revealed(monkeypatch, f"file://{tmp_path}/key")


def test_another_place_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PackageError, match=r"only env://NAME and file:///PATH are known"):
        revealed(monkeypatch, "vault://kv/key")
