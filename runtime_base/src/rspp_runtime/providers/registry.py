"""Finds a provider's factory by the name that a `use` line gives it.

Installed packages add theirs through the entry-point group `rspp.providers`; the local engines are built in and are
imported only when asked for, so that a runtime without their extras still starts.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Mapping
from typing import Any, cast

from rspp_runtime.providers.contract import Outcome, Provider, ProviderError, ProviderFactory
from rspp_runtime.providers.options import suggest

GROUP = "rspp.providers"
BUILT_IN: Mapping[str, str] = {
    "espeak": "rspp_runtime.providers.espeak",
    "pocketsphinx": "rspp_runtime.providers.pocketsphinx_stt",
    "scripted": "rspp_runtime.providers.scripted",
    "silero": "rspp_runtime.providers.silero",
    "webrtcvad": "rspp_runtime.providers.webrtc_vad",
}
OWN: Mapping[str, str] = {"python": "rspp_runtime.session.outside", "tool": "rspp_runtime.tools.runner"}
"""What performs a Python node outside of the kernel, and a tool: no `use` line names them, and no package takes their
place."""


def names() -> list[str]:
    """Every provider that `find` knows, sorted."""
    return sorted({*BUILT_IN, *(point.name for point in importlib.metadata.entry_points(group=GROUP))})


def find(name: str) -> ProviderFactory:
    """The factory called `name`; an installed entry point goes before a built-in of the same name.

    Raises `ProviderError` for an unknown name, a missing extra, or an entry point that does not load.
    """
    if name in OWN:
        return cast(ProviderFactory, importlib.import_module(OWN[name]).factory)
    points = sorted(importlib.metadata.entry_points(group=GROUP, name=name), key=lambda point: point.value)
    if len(points) > 1:
        values = ", ".join(point.value for point in points)
        raise _refuse(f"provider {name!r} is claimed by several packages ({values}); uninstall all but one")
    if points:
        try:
            return cast(ProviderFactory, points[0].load())
        except (ImportError, AttributeError) as error:
            raise _refuse(f"provider {name!r} ({points[0].value}) cannot be loaded: {error}") from error
    if name not in BUILT_IN:
        known = names()
        raise _refuse(f"no provider is called {name!r}{suggest(name, known)}; known: {', '.join(known)}")
    try:
        module = importlib.import_module(BUILT_IN[name])
    except ModuleNotFoundError as error:
        raise _refuse(
            f"provider {name!r} needs the package {error.name!r}, which is not installed: "
            f"pip install 'rspp-runtime[{name}]'"
        ) from error
    return cast(ProviderFactory, module.factory)


def create(name: str, options: Mapping[str, Any], resources: Mapping[str, bytes]) -> Provider:
    """Finds the factory and calls it. Raises `ProviderError`."""
    return find(name)(options, resources)


def _refuse(reason: str) -> ProviderError:
    return ProviderError(Outcome.INFRASTRUCTURE_FAILURE, reason)
