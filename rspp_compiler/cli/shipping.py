"""What `rsppc package` does: an image, or the folder that one is built from; manifests for Kubernetes."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from rspp_compiler.analysis.memory import memory
from rspp_compiler.cli import EXIT_USAGE, report
from rspp_compiler.driver import Result
from rspp_compiler.emit.shipping.image import MORE, Image, image
from rspp_compiler.emit.shipping.kubernetes import Wishes, kubernetes, session_note
from rspp_compiler.emit.shipping.pod import pod
from rspp_compiler.emit.shipping.words import dns_name, is_namespace
from rspp_compiler.ir.plan import Frozen
from rspp_compiler.sema.language.engines import ENGINES

_IMAGE = re.compile(r"[a-z0-9][a-z0-9._/:-]*:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def wishes(image: str | None, namespace: str, tenants: Sequence[str]) -> Wishes:
    """What the options say. Raises `typer.BadParameter`."""
    if image is not None and not _IMAGE.fullmatch(image):
        raise typer.BadParameter(f"an image is called like registry.example/team/agent:1.0.0, not {image!r}")
    for name in (*([namespace] if namespace else []), *tenants):
        if not is_namespace(name):
            raise typer.BadParameter(f"a namespace has small letters, digits and `-`, at most 63: not {name!r}")
    return Wishes(image or "", namespace, tuple(dict.fromkeys(tenants)))


# ---- the image


def extras(names: Sequence[str]) -> tuple[str, ...]:
    """What an image shall have besides. Raises `typer.BadParameter`."""
    for name in names:
        if name not in MORE:
            raise typer.BadParameter(f"--with is one of {', '.join(MORE)}, not {name!r}; engines come by themselves")
    return tuple(names)


def make_image(
    result: Result, wheels: Path | None, base: str | None, tag: str | None, more: Sequence[str] = ()
) -> Result:
    """Lays out the build context of a compiled pipeline and builds it; the result with what that found."""
    made = image(result.values["compile"], result.context, wheels, base, tag, {*more})
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


# ---- the manifests


def write_manifests(
    result: Result,
    wishes: Wishes,
    output: Path,
    folder: Path | None,
    sessions: int | None,
    session_millicpu: int | None,
) -> None:
    """Writes the manifests of a pipeline, and says what they rest on. Files of an earlier run are replaced.

    Ends the command where they cannot be written, or the folder has something else in it.
    """
    frozen: Frozen = result.stage("plan")
    plan = frozen.layout.plan
    folder = folder or output / plan.pipeline / "dist" / "kubernetes"
    if not wishes.image:
        wishes = Wishes(f"{plan.pipeline.lower()}:{plan.pipeline_version}", wishes.namespace, wishes.tenants)
    needs = pod(frozen, memory(frozen.layout), sessions, session_millicpu)
    files = kubernetes(frozen, needs, wishes, _elsewhere(frozen))
    try:
        _replace(folder, files)
    except OSError as error:
        print(f"rsppc package: cannot write {error.filename}: {error.strerror}", file=sys.stderr)
        raise typer.Exit(EXIT_USAGE) from None
    shown = report.shown(folder)
    print(f"{shown}: {len(files)} files; a pod of {needs.sessions} sessions: {needs.cpu_millis}m, {needs.memory_mi}Mi")
    if note := session_note(needs):
        print(f"note: {note}")
    print(f"  kubectl create namespace {wishes.namespace or dns_name(plan.pipeline)}")
    print(f"  kubectl apply -k {shlex.quote(f'{shown}/overlays/production')}")


def _replace(folder: Path, files: dict[str, str]) -> None:
    """Puts the files there. A folder that is not one of manifests is left alone."""
    if folder.exists():
        if any(folder.iterdir()) and not (folder / "base" / "kustomization.yaml").is_file():
            print(f"rsppc package: {folder} has other files in it: give --manifests another folder", file=sys.stderr)
            raise typer.Exit(EXIT_USAGE)
        for name in ("base", "components", "overlays", "tenants"):
            shutil.rmtree(folder / name, ignore_errors=True)
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _elsewhere(frozen: Frozen) -> tuple[str, ...]:
    """The engines that are asked over the network, sorted. One that nobody knows may be."""
    spec = frozen.layout.analysis.graph.spec
    used = {(block.kind, one.name) for block in spec.providers for one in block.candidates}
    return tuple(sorted({name for kind, name in used if not ((engine := ENGINES.get((kind, name))) and engine.local)}))
