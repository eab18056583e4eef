"""`rsppc package`: a built pipeline as an image, or as the folder that an image is built from."""

from __future__ import annotations

import shlex
from pathlib import Path

from rspp_compiler.cli import report
from rspp_compiler.driver import Result
from rspp_compiler.emit.shipping.image import Image, image


def package(result: Result, wheels: Path | None, base: str | None) -> Result:
    """Lays out the build context of a compiled pipeline and builds it; the result with what that found."""
    made = image(result.values["compile"], result.context, wheels, base)
    if made is not None:
        _tell(made)
    return Result(result.values, result.context.sink.diagnostics, result.context)


def _tell(image: Image) -> None:
    if image.tool:
        print(f"{image.tag} built with {image.tool}: {image.tool} run --rm {image.tag}")
        return
    print(f"{report.shown(image.context)}: a Containerfile and {len(image.wheels)} wheels")
    print("neither docker nor podman nor buildah works here; where one does, run")
    print(f"  {shlex.join(image.command)}")
